"""What the README shows runs, and `import steerable` stays light."""

import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def test_every_python_block_runs(capsys):
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL):
        exec(block, names)  # each block goes on where the one before ended
    printed = capsys.readouterr().out
    assert "torch.Size([1, 40])" in printed and "equivariant under O(3), float64" in printed
    assert "True [('0', 1), ('1', 3), ('2', 5), ('3', 3), ('4', 4)]\n8x0+4x2+4x3" in printed


def test_import_takes_torch_and_numpy_only():
    heavy = (
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
