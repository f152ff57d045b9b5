import runpy
import sys
from pathlib import Path

from steerable.train import QM9Config, ShapesConfig, load_config

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_settings_are_understood():
    assert load_config(EXAMPLES / "qm9.yaml", QM9Config).data.split == "110k"
    assert load_config(EXAMPLES / "shapes.yaml", ShapesConfig).model.group == "O(2)"


def test_the_example_runs(monkeypatch, capsys, molecules, tmp_path):
    monkeypatch.setattr("steerable.train.tasks.qm9.QM9", lambda: molecules * 3)
    monkeypatch.setattr(sys, "argv", ["qm9.py", "--small", "--run", str(tmp_path / "run")])
    runpy.run_path(str(EXAMPLES / "qm9.py"))
    out = capsys.readouterr().out
    assert "test MAE" in out
    assert "water" in out
