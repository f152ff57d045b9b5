"""What runs a trained network loads nothing that trains one."""

import subprocess
import sys


def test_neither_lightning_nor_matplotlib_is_loaded():
    heavy = ("lightning", "matplotlib", "jsonargparse", "rich")
    code = f"import steerable.deploy, sys; print([x for x in {heavy!r} if x in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
