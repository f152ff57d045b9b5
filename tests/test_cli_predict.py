import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.io import read, write

from deploy.test_predictor import FRAMES, save_run
from steerable import cli

QM9 = str(Path(__file__).parent / "runs" / "qm9-implicit")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a run and a file of three molecules, one unlike the training set."""
    monkeypatch.chdir(tmp_path)
    save_run(tmp_path / "run", FRAMES)
    frames = [molecule(name) for name in ("CH4", "H2O", "C6H6")]
    for atoms in frames:
        atoms.info["name"] = f"my-{atoms.get_chemical_formula()}"
        atoms.info["label"] = 0.5
    write("three.extxyz", frames)
    return tmp_path


def predict(*arguments):
    return cli.main(["predict", *map(str, arguments)])


def test_a_table_has_names_units_and_notes(here, capsys):
    assert predict("run", "three.extxyz") == 0
    out, err = capsys.readouterr()
    header, *rows = out.splitlines()
    assert header.split() == ["index", "name", "formula", "gap", "[eV]", "note"]
    assert [row.split()[1] for row in rows] == ["my-CH4", "my-H2O", "my-C6H6"]
    assert "12 atoms, training had 3 to 9" in rows[2]
    assert "warning: 1 of 3 structures are unlike the training set" in err
    assert "left out of the table: forces" in err


def test_the_suffix_of_the_output_chooses_the_format(here, capsys):
    for suffix in ("csv", "json", "npz", "extxyz"):
        assert predict("run", "three.extxyz", "--output", f"out.{suffix}") == 0
        assert f"wrote out.{suffix} (3 structures)" in capsys.readouterr().err
    rows = list(csv.DictReader(Path("out.csv").read_text().splitlines()))
    gaps = [float(row["gap [eV]"]) for row in rows]
    record = json.loads(Path("out.json").read_text())
    assert record["units"] == {"gap": "eV", "forces": "eV/Angstrom"}
    assert [item["predictions"]["gap"] for item in record["structures"]] == gaps
    with np.load("out.npz") as arrays:
        assert arrays["gap"].tolist() == gaps
        forces = arrays["forces"]
    frames = read("out.extxyz", ":")
    assert [atoms.info["predicted_gap"] for atoms in frames] == gaps
    assert [atoms.info["label"] for atoms in frames] == [0.5] * 3
    assert np.concatenate([atoms.arrays["predicted_forces"] for atoms in frames]) == pytest.approx(
        forces
    )
    assert "note" in frames[2].info and "note" not in frames[0].info


def test_several_files_folders_and_smiles_are_one_input(here, capsys):
    pytest.importorskip("rdkit")
    Path("more").mkdir()
    write("more/b.xyz", molecule("H2O"))
    write("more/a.xyz", [molecule("CH4")] * 2)
    Path("more/notes.txt").write_text("nothing")
    assert predict("run", "more", "three.extxyz", "CCO", "--json") == 0
    items = json.loads(capsys.readouterr().out)["structures"]
    assert [item["index"] for item in items] == list(range(7))
    assert [item["formula"] for item in items] == [
        "CH4", "CH4", "H2O", "CH4", "H2O", "C6H6", "C2H6O",
    ]  # fmt: skip
    assert items[6]["smiles"] == "CCO"


def test_several_runs_predict_together(here, capsys):
    save_run(here / "other", FRAMES, seed=1)
    gaps = []
    for runs in (["run"], ["other"], ["run", "other"]):
        assert predict(*runs, "three.extxyz", "--json") == 0
        record = json.loads(capsys.readouterr().out)
        gaps.append([item["predictions"]["gap"] for item in record["structures"]])
    assert gaps[2] == pytest.approx(np.mean(gaps[:2], 0).tolist())
    assert record["runs"] == ["run", "other"]
    spread = record["structures"][0]["predictions"]["gap_std"]
    assert spread == pytest.approx(abs(gaps[0][0] - gaps[1][0]) / np.sqrt(2))


def test_bad_structures_are_named_or_skipped(here, capsys):
    ion = molecule("H2O")
    ion.info["charge"] = -1
    write("bad.extxyz", [molecule("CH4"), molecule("SiH4"), ion])
    assert predict("run", "bad.extxyz", "--output", "out.csv") == 2
    assert capsys.readouterr().err.startswith("error: Frame 1 (H4Si) has Si, and the network")
    assert not Path("out.csv").exists()
    assert predict("run", "three.extxyz", "bad.extxyz") == 2
    assert "error: bad.extxyz: Frame 1 (H4Si) has Si" in capsys.readouterr().err
    assert predict("run", "bad.extxyz", "--skip-bad") == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 2
    assert "skipped: Frame 1 (H4Si) has Si" in err
    assert "skipped: Frame 2 (H2O) has the charge -1" in err
    assert "skipped 2 of 3 structures" in err
    assert predict("run", "bad.extxyz", "--skip-bad", "--ignore-charge") == 0
    assert len(capsys.readouterr().out.splitlines()) == 3
    write("worse.extxyz", [molecule("SiH4")])
    assert predict("run", "worse.extxyz", "--skip-bad", "--output", "out.csv") == 2
    assert "None of 1 structure can be predicted" in capsys.readouterr().err
    assert not Path("out.csv").exists()


def test_smiles_without_a_molecule_are_named_or_skipped(here, capsys):
    pytest.importorskip("rdkit")
    assert predict("run", "C(C)(C)(C)(C)C", "--smiles") == 2
    assert capsys.readouterr().err.startswith("error: C(C)(C)(C)(C)C gives no molecule")
    assert predict("run", "CCO", "C(C)(C)(C)(C)C", "--smiles", "--skip-bad") == 0
    assert "skipped 1 of 2 structures" in capsys.readouterr().err
    Path("three.csv").write_text("smiles,id\nCCO,a\nnonsense,b\nC,c\n")
    assert predict("run", "three.csv") == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 3
    assert "skipped: row 1 (nonsense)" in err


def test_devices_are_written_to(here):
    command = [sys.executable, "-m", "steerable.cli", "predict", QM9, "three.extxyz"]
    done = subprocess.run(
        [*command, "--format", "csv", "--output", "/dev/stdout"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(done.stdout.splitlines()) == 4
    assert "wrote /dev/stdout" in done.stderr


def test_predictions_do_not_import_what_trains(here):
    code = f"""
import sys
from steerable import cli
assert cli.main(["predict", {QM9!r}, "three.extxyz"]) == 0
heavy = ("steerable.train", "lightning", "ase.io", "rich", "torch_geometric", "scipy.stats")
print([name for name in heavy if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("run", "the following arguments are required: FILE"),
        ("run run", "Give a file, a folder or SMILES to predict after the run."),
        ("run none.xyz", "There is no file none.xyz."),
        ("run three.extxyz --format xml", "one of table, csv, json, npz, extxyz; got xml"),
        ("run three.extxyz --format npz", "An npz is a file: give --output FILE.npz."),
        ("run empty", "The folder empty has no file of structures that can be read."),
        ("run three.extxyz --output no/where", "--output is a file in a folder that exists"),
        ("nowhere three.extxyz", "There is no run folder nowhere."),
    ],
)
def test_a_wrong_command_is_one_line(here, capsys, line, message):
    Path("empty").mkdir()
    assert cli.main(["predict", *line.split()]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("error: ") and err.count("\n") == 1
    assert message in err


def test_runs_on_qm9_predict_as_before(here, capsys):
    write("two.xyz", [molecule("CH4"), Atoms("H")])
    assert predict(QM9, "two.xyz") == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0].split() == ["index", "formula", "gap", "[eV]"]
    assert predict(QM9, "two.xyz", "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["target"], record["unit"]) == ("gap", "eV")
    assert [item["formula"] for item in record["molecules"]] == ["CH4", "H"]
    assert f"{record['molecules'][0]['prediction']:.6f}" in out
