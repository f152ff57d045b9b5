"""The page on permutations prints what it says, and its examples run."""

import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.db import connect

ROOT = Path(__file__).parents[2]


def test_the_page_runs(capsys):
    names: dict[str, object] = {}
    for language, text in re.findall(
        r"```(python)?\n(.*?)```", (ROOT / "docs/permutations.md").read_text(), re.DOTALL
    ):
        if language:
            exec(text, names)
        else:
            assert capsys.readouterr().out == text


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("sets", ["sums of 100 digits", "entropy", "mutual information", "the odd one of 16"]),
        ("graphs", ["with products (3-WL): C6 and 2 C3 differ by", "dipoles of 50 charges"]),
    ],
)
def test_examples(monkeypatch, capsys, name, lines):
    monkeypatch.setattr(sys, "argv", [f"{name}.py", "--steps", "3"])
    runpy.run_path(str(ROOT / f"examples/{name}.py"))
    printed = capsys.readouterr().out
    assert all(line in printed for line in lines) and "nan" not in printed


def test_dipoles(monkeypatch, capsys, tmp_path):
    """On a few molecules of fixed charges and springs, one of which is excited."""
    generator = np.random.default_rng(0)
    charges = np.array([-0.8, 0.4, 0.4])
    with connect(tmp_path / "molecules.db") as database:
        for number in range(21):
            positions = generator.normal(size=(3, 3))
            dipole, middle = charges @ positions, positions.mean(0)
            energy = ((positions - middle) ** 2).sum() / 2 + (number == 7)
            known = {"dipole_moment": dipole[None], "total_charge": [0.0], "energy": [energy]}
            database.write(Atoms("OH2", positions), data=known | {"forces": middle - positions})
    monkeypatch.setattr(sys, "argv", ["dipoles.py", str(tmp_path / "molecules.db"), "--steps", "3"])
    names = runpy.run_path(str(ROOT / "examples/dipoles.py"))
    assert (~names["common"]).nonzero().tolist() == [[7]]
    printed = capsys.readouterr().out
    assert (
        "4 of 21 frames tested, 1 of rare states" in printed
        and "elements [1, 8], rms dipole" in printed
    )
    assert "change under a rotation" in printed
