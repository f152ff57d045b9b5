"""The reader of every other format that ASE reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ..atoms import from_atoms
from ..errors import ReadError
from ..structures import Structures
from .files import open_text

_PART = 1000  # structures that are read at once
# Of files of these formats ASE reads one structure. The lines that begin one, to count them:
_BEGINNINGS = {
    "gromacs": re.compile(r"^\s*\d+\s*$"),
    "gen": re.compile(r"^\s*\d+\s+[CSFcsf]\s*$"),
    "gaussian-in": re.compile(r"^\s*#"),
    "gamess-us-out": re.compile(r"NSERCH[=:]\s*\d+\s"),
    "mol": re.compile(r"^M  END"),
    "sdf": re.compile(r"^\$\$\$\$"),
}


def read_ase(path: Path, format: str | None = None) -> Iterator[Structures]:
    """Read every structure of a file by ASE.

    Args:
        path: of the file.
        format: ASE's name of the format; by default ASE says it.

    Raises:
        ReadError: ASE does not know the format or cannot read the file, or reads one structure of
            several.
    """
    from ase.io import iread

    kind = format or _kind(path)
    _check_one(path, kind)
    atoms = iread(str(path), index=":", format=kind)
    first = 0
    while True:
        try:
            part = list(islice(atoms, _PART))
        except Exception as error:  # a broken file may raise anything
            lines = str(error).splitlines() or [""]
            raise ReadError(
                f"{path}: ASE cannot read it as {kind} beyond structure {first}: "
                f"{type(error).__name__}: {lines[0]}"
            ) from error
        if not part:
            return
        yield from_atoms(part)
        first += len(part)


def _kind(path: Path) -> str:
    """ASE's name of the format of a file, from its name and its first bytes."""
    from ase.io.formats import UnknownFileTypeError, filetype

    try:
        kind = filetype(str(path))
    except UnknownFileTypeError:
        kind = ""
    if not is_known_to_ase(kind):
        raise ReadError(
            f"{path}: no format is known for this file, and ASE does not know it either. Name it "
            "by format=."
        )
    return kind


def is_known_to_ase(format: str) -> bool:
    """Whether ASE has a format of this name that it can read."""
    from ase.io.formats import ioformats

    return format in ioformats and ioformats[format].can_read


def _check_one(path: Path, kind: str) -> None:
    pattern = _BEGINNINGS.get(kind)
    if pattern is None:
        return
    with open_text(path) as stream:
        count = sum(1 for line in stream if pattern.search(line))
    if count > 1:
        raise ReadError(
            f"{path}: the file has {count} structures, and ASE reads one of them from files of the "
            f"format {kind}. Write each to a file of its own, or all to extended XYZ."
        )
