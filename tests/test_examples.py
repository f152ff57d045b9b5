"""Examples run, in their small setting."""

import runpy
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parent.parent / "examples"


def test_groups(monkeypatch, capsys, tmp_path):
    figure = tmp_path / "groups.png"
    monkeypatch.setattr(sys, "argv", ["groups.py", "--group", "4/mmm", "--figure", str(figure)])
    runpy.run_path(str(EXAMPLES / "groups.py"))
    printed = capsys.readouterr().out
    assert "D4h: order 16" in printed and "relative change under a random element" in printed
    assert figure.stat().st_size > 10_000
