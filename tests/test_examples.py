"""Examples run, in their small setting."""

import re
import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


def test_groups(monkeypatch, capsys, tmp_path):
    figure = tmp_path / "groups.png"
    monkeypatch.setattr(sys, "argv", ["groups.py", "--group", "4/mmm", "--figure", str(figure)])
    runpy.run_path(str(EXAMPLES / "groups.py"))
    printed = capsys.readouterr().out
    assert "D4h: order 16" in printed and "relative change under a random element" in printed
    assert figure.stat().st_size > 10_000


@pytest.mark.slow
def test_fluid(monkeypatch, capsys, tmp_path):
    figure = tmp_path / "fluid.png"
    monkeypatch.setattr(
        sys,
        "argv",
        ["fluid.py", "--quick", "--figure", str(figure), "--gif", str(tmp_path / "fluid.gif")],
    )
    runpy.run_path(str(EXAMPLES / "fluid.py"))
    printed = capsys.readouterr().out
    last = {
        name: float(error)
        for name, error in re.findall(r"50 steps, ([a-z ]+): .*, ([\d.]+)%", printed)
    }
    assert 3 * last["operators"] < 2 * last["kernels"] < 0.2 * last["last frame"]
    deviations = [abs(float(x)) for x in re.findall(r"true .*, ([-+][\d.]+)%", printed)]
    assert len(deviations) == 7 and max(deviations) < 4
    exact, near = zip(
        *re.findall(r"equivariance error (\S+) under turns .* grid, (\S+) under any", printed),
        strict=True,
    )
    assert max(map(float, exact)) < 1e-12 and float(near[0]) < 5e-3
    assert figure.stat().st_size > 10_000 and len(list(tmp_path.iterdir())) == 2
