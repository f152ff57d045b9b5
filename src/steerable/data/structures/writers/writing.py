"""Structures to files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..archive import to_table
from ..readers.files import plain_name
from ..readers.joining import joined
from ..readers.reading import PathLike, read_parts
from ..structures import Structures
from .database import write_database
from .extxyz import write_extxyz
from .files import replacing


class Writer(NamedTuple):
    """How files of one format are written: a function of the path and the parts."""

    write: Callable[[Path, Iterable[Structures]], None]
    names: tuple[str, ...]
    compressed: bool = False


def write_archive(path: Path, parts: Iterable[Structures]) -> None:
    """Write structures to an .npz, which is read the fastest; all are in memory at once."""
    with path.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **to_table(joined(list(parts))))


WRITERS = {
    "extxyz": Writer(write_extxyz, ("*.xyz", "*.extxyz"), compressed=True),
    "db": Writer(write_database, ("*.db", "*.json")),
    "npz": Writer(write_archive, ("*.npz",)),
}


def write(
    structures: Structures | Iterable[Structures], path: PathLike, format: str | None = None
) -> None:
    """Write structures to a file, with all quantities, bit for bit, and their units.

    The file is complete or not written: an old one stays if anything fails.

    Args:
        structures: a set, or parts of one, which are written one by one (.npz takes all at once).
        path: of the file: .xyz or .extxyz (also with .gz, .bz2, .xz), .db, .json or .npz.
        format: `extxyz`, `db` or `npz`, where the suffix does not say it.

    Raises:
        ValueError: no such format is known, or it has no place for a quantity.
    """
    path = Path(path)
    writer = _writer_of(path, format)
    parts = [structures] if isinstance(structures, Structures) else structures
    with replacing(path) as temporary:
        writer.write(temporary, parts)


def convert(
    source: PathLike,
    target: PathLike,
    source_format: str | None = None,
    target_format: str | None = None,
) -> None:
    """Write the structures of a file to another, in constant memory where the formats allow it.

    Args:
        source: a file or folder that `read` reads.
        target: a file that `write` writes.
        source_format: where the name of the source does not say it.
        target_format: where the suffix of the target does not say it.

    Raises:
        ReadError: the source cannot be read.
        ValueError: the target has no place for a quantity.
    """
    write(read_parts(source, format=source_format), target, target_format)


def _writer_of(path: Path, format: str | None) -> Writer:
    if format is not None:
        if format not in WRITERS:
            raise ValueError(f"Structures are written as {', '.join(WRITERS)}; got {format!r}.")
        return WRITERS[format]
    name = plain_name(path).lower()
    for writer in WRITERS.values():
        if any(fnmatch(name, pattern) for pattern in writer.names):
            if name != path.name.lower() and not writer.compressed:
                break
            return writer
    patterns = [pattern for writer in WRITERS.values() for pattern in writer.names]
    raise ValueError(f"{path}: structures are written to {', '.join(patterns)}.")
