"""Loops in C for the CPU, compiled on the machine that runs them, where it has a compiler."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from ..cache_folder import cache_folder, check_private, private_folder

SWITCH = "STEERABLE_NATIVE"  # an environment variable: 0 leaves everything to torch
_FOLDER = "native"
_ON, _OFF = ("", "1", "true", "on", "yes"), ("0", "false", "off", "no")
_PATIENCE = 60  # seconds for a compiler, which needs less than one
_PLAIN = (torch.Tensor, torch.nn.Parameter)
_TYPES = {torch.float32: "float", torch.float64: "double"}
# Sums may be taken in another order, but NaN and infinity stay what they are.
_FLAGS = (
    "-std=c11 -O3 -shared -fPIC -fopenmp -fno-math-errno -fno-trapping-math -fno-signed-zeros "
    "-fassociative-math -ffp-contract=fast"
)
_INSTRUCTIONS = {
    "AVX2": "-mavx2 -mfma",
    "AVX512": "-mavx512f -mavx512dq -mavx512bw -mavx512vl -mfma -mprefer-vector-width=512",
}
_libraries: dict[str, str] = {}  # what became of every library that was asked for
_warned: list[str] = []  # of what was warned in this process


class NativeWarning(UserWarning):
    """Loops in C were expected, and PyTorch does their work more slowly."""


class NativeError(OSError):
    """A library that cannot be compiled here."""


@dataclass(frozen=True)
class NativeStatus:
    """Whether the loops in C are used, and why not.

    Args:
        enabled: whether `STEERABLE_NATIVE` allows them.
        folder: where they are cached.
        compilers: the compilers that are tried, in this order.
        libraries: for each library that was asked for so far, the file that is used, or why PyTorch
            does its work.
    """

    enabled: bool
    folder: Path
    compilers: tuple[str, ...]
    libraries: dict[str, str]

    def __str__(self) -> str:
        rows = [f"{name}: {text}" for name, text in self.libraries.items()]
        return "\n".join(
            [
                f"loops in C: {'enabled' if self.enabled else f'disabled by {SWITCH}'}",
                f"folder: {self.folder}",
                f"compilers: {', '.join(self.compilers) or 'none'}",
                *(rows or ["none was asked for yet"]),
            ]
        )


def native_status() -> NativeStatus:
    """Whether the loops in C are used in this process, and why not."""
    compilers = tuple(shlex.join(command) for command in _compilers())
    return NativeStatus(_enabled(), cache_folder() / _FOLDER, compilers, dict(_libraries))


@cache
def native(source: Path, dtype: torch.dtype) -> ctypes.CDLL | None:
    """The functions of a C file, with `REAL` for numbers of `dtype`.

    Returns None for another dtype, or where neither a compiler nor a cached library exists.

    The library is compiled once and lies in a folder of the cache that only this user may write,
    by the hash of all that it depends on.
    """
    name = f"{source.name} for {str(dtype).removeprefix('torch.')}"
    if dtype not in _TYPES:
        _libraries[name] = "there are none for this type of numbers"
        return None
    if not _enabled():
        _libraries[name] = f"disabled by {SWITCH}"
        return None
    try:
        library = _library(source, _options(dtype))
    except (OSError, subprocess.SubprocessError) as error:
        _libraries[name] = str(error)
        _warn_once(f"{name}: {error}")
        return None
    _libraries[name] = library._name
    return library


def native_for(source: Path, tensors: Sequence[torch.Tensor]) -> ctypes.CDLL | None:
    """`native` for these tensors; None unless they are plain ones of one type on a CPU."""
    if not tensors:
        return None
    dtype = tensors[0].dtype
    for tensor in tensors:
        if type(tensor) not in _PLAIN or tensor.dtype != dtype or tensor.device.type != "cpu":
            return None
    return native(source, dtype)


def _library(source: Path, options: list[str]) -> ctypes.CDLL:
    """The library in the cache, or a new one."""
    build = " ".join([platform.system(), platform.machine(), *options]).encode()
    key = hashlib.sha256(source.read_bytes() + build).hexdigest()[:24]
    record = private_folder(_FOLDER) / f"{source.stem}-{key}.json"
    try:
        return _cached(record)
    except (OSError, ValueError, KeyError, TypeError):  # absent, damaged, or of another system
        pass
    faults = []
    for compiler in _compilers():
        try:
            return _compiled([*compiler, *options, str(source)], record)
        except subprocess.CalledProcessError as error:
            said = error.stderr.decode(errors="replace").strip().splitlines() or [str(error)]
            faults.append(f"{compiler[0]} failed ({said[0]})")
        except (OSError, subprocess.SubprocessError) as error:
            faults.append(f"{compiler[0]} failed ({error})")
    raise NativeError("; ".join(faults) or "there is no C compiler (CC, cc, gcc or clang)")


def _cached(record: Path) -> ctypes.CDLL:
    """The library that a record names, unless somebody else or an accident may have changed it."""
    check_private(record)
    entry = json.loads(record.read_text(encoding="utf-8"))
    library = record.parent / Path(entry["library"]).name
    check_private(library)
    # Pages that are missing would end the process where the library is used.
    if hashlib.sha256(library.read_bytes()).hexdigest() != entry["sha256"]:
        raise ValueError(f"{library} is damaged")
    return ctypes.CDLL(str(library))


def _compiled(command: Sequence[str], record: Path) -> ctypes.CDLL:
    """A new library, and its record: both are whole or absent.

    The library is named by what is in it, so that processes that compile at the same time do not
    meet, and the record is written once the library has been loaded.
    """
    with tempfile.TemporaryDirectory(dir=record.parent) as folder:
        output, note = Path(folder) / "library.so", Path(folder) / "record.json"
        subprocess.run(
            [*command, "-o", str(output)], capture_output=True, check=True, timeout=_PATIENCE
        )
        output.chmod(0o600)
        digest = hashlib.sha256(output.read_bytes()).hexdigest()
        library = record.with_name(f"{record.stem}-{digest[:16]}.so")
        output.replace(library)
        try:
            functions = ctypes.CDLL(str(library))
        except OSError:
            library.unlink()
            raise
        entry = {"library": library.name, "sha256": digest, "compiler": shlex.join(command)}
        note.write_text(json.dumps(entry, indent=2), encoding="utf-8")
        note.chmod(0o600)
        note.replace(record)
    return functions


def _options(dtype: torch.dtype) -> list[str]:
    instructions = _INSTRUCTIONS.get(torch.backends.cpu.get_cpu_capability(), "")
    return f"{_FLAGS} {instructions} -DREAL={_TYPES[dtype]}".split()


def _compilers() -> list[list[str]]:
    """The commands of the compilers that are there: that of `CC`, then the usual ones."""
    commands = [os.environ.get("CC", "").split(), ["cc"], ["gcc"], ["clang"]]
    return [command for command in commands if command and shutil.which(command[0])]


def _enabled() -> bool:
    """Whether the environment allows the loops; a word that says neither is taken as yes."""
    word = os.environ.get(SWITCH, "").strip().lower()
    if word not in _ON + _OFF and word not in _warned:
        _warned.append(word)
        warnings.warn(
            f"{SWITCH} is 1 (true, on, yes) or 0 (false, off, no); got {word!r}, taken as 1.",
            NativeWarning,
            stacklevel=3,
        )
    return word not in _OFF


def _warn_once(fault: str) -> None:
    if "slow" not in _warned:
        _warned.append("slow")
        warnings.warn(
            "Loops in C are not used, and PyTorch does their work more slowly "
            f"({fault}). Set {SWITCH}=0 to do without them and without this warning; "
            "steerable.ops.native_status() says more.",
            NativeWarning,
            stacklevel=3,
        )
