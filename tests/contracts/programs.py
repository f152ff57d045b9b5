"""Exported programs in another process that has never seen the library."""

import subprocess
import sys

import torch

# Runs every program of a folder on its inputs, and keeps the results.
RUN = """
import sys, torch
from pathlib import Path
for path in Path(sys.argv[1]).glob("*.inputs"):
    program = torch.export.load(path.with_suffix(".pt2")).module()
    torch.save(program(*torch.load(path)), path.with_suffix(".result"))
assert "steerable" not in sys.modules
"""


def results_of(names, export, inputs, folder):
    """What the programs `export(name)` give for `inputs(name)`, or the error of the export."""
    results = {}
    for k, name in enumerate(names):
        try:
            torch.export.save(export(name), folder / f"{k}.pt2")
            torch.save(inputs(name), folder / f"{k}.inputs")
        except Exception as error:
            results[name] = error
    subprocess.run([sys.executable, "-W", "ignore", "-c", RUN, str(folder)], check=True)
    for k, name in enumerate(names):
        if name not in results:
            results[name] = torch.load(folder / f"{k}.result")
    return results
