"""What the README shows runs, and `import steerable` stays light."""

import subprocess
import sys

from documents import ROOT, run_blocks


def test_every_python_block_runs(capsys):
    run_blocks(ROOT / "README.md")
    printed = capsys.readouterr().out
    assert "torch.Size([1, 40])" in printed and "equivariant under O(3), float64" in printed
    assert "48 torch.Size([4, 1])" in printed
    assert "True [('0', 1), ('1', 3), ('2', 5), ('3', 3), ('4', 4)]\n8x0+4x2+4x3" in printed


def test_import_takes_no_package():
    heavy = (
        "torch",
        "numpy",
        "torch_geometric",
        "e3nn",
        "lightning",
        "matplotlib",
        "scipy",
        "ase",
        "rich",
        "jsonargparse",
    )
    code = f"import steerable, sys; print([name for name in {heavy!r} if name in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip()
        == "[]"
    )
