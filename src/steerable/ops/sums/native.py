"""Loops in C for the CPU, compiled on the machine that runs them, where it has a compiler."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import torch

from ..cache_folder import cache_folder

SWITCH = "STEERABLE_NATIVE"  # an environment variable: 0 leaves everything to torch
_PATIENCE = 60  # seconds for a compiler, which needs less than one
_TYPES = {torch.float32: "float", torch.float64: "double"}
# Sums may be taken in another order, but NaN and infinity stay what they are.
_FLAGS = (
    "-std=c11 -O3 -shared -fPIC -fopenmp -fno-math-errno -fno-trapping-math -fno-signed-zeros "
    "-fassociative-math"
)
_INSTRUCTIONS = {
    "AVX2": "-mavx2 -mfma",
    "AVX512": "-mavx512f -mavx512dq -mavx512bw -mavx512vl -mfma -mprefer-vector-width=512",
}


@cache
def native(source: Path, dtype: torch.dtype) -> ctypes.CDLL | None:
    """The functions of a C file, with `REAL` for numbers of `dtype`.

    None without a compiler, or for another dtype.

    The library is made once and lies in the cache folder, by the hash of all that it depends on.
    """
    compiler = next(
        (found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None
    )
    if compiler is None or dtype not in _TYPES or os.environ.get(SWITCH) == "0":
        return None
    instructions = _INSTRUCTIONS.get(torch.backends.cpu.get_cpu_capability(), "")
    options = f"{_FLAGS} {instructions} -DREAL={_TYPES[dtype]}".split()
    try:
        version = _run([compiler, "--version"])
        parts = source.read_bytes(), version, " ".join(options).encode()
        library = (
            cache_folder() / f"{source.stem}-{hashlib.sha256(b''.join(parts)).hexdigest()[:24]}.so"
        )
        if not library.exists():
            _compile([compiler, *options, str(source)], library)
        return ctypes.CDLL(str(library))
    except (OSError, subprocess.SubprocessError):
        # a folder that cannot be written, or a compiler that does not know these options or hangs
        return None


def _compile(command: list[str], library: Path) -> None:
    """Make a library under another name, then give it its own: it is whole or absent."""
    library.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=library.parent) as folder:
        made = Path(folder) / library.name
        _run([*command, "-o", str(made)])
        made.replace(library)


def _run(command: list[str]) -> bytes:
    return subprocess.run(command, capture_output=True, check=True, timeout=_PATIENCE).stdout
