"""Structures from files of any format that has a reader."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..cache import cached_structures
from ..errors import ReadError
from ..structures import Structures
from .joining import joined
from .registry import reader_of

PathLike = str | os.PathLike[str]


def read(path: PathLike, format: str | None = None, cache: bool = False) -> Structures:
    """All structures of a file or folder.

    Args:
        path: of the file; its suffix says the format, and a compression (.gz, .bz2, .xz).
        format: the name of the format, where the suffix does not say it.
        cache: whether to keep the structures in the user's cache folder (`STEERABLE_CACHE`), and to
            read them from there while the content of the file is the same. Formats that have a part
            of their content in other files, such as tables of file names, are not cached.

    Raises:
        ReadError: the file cannot be read; the message names the file, and the frame or row.
    """
    path = Path(path)
    reader = reader_of(path, format)
    if cache and reader.is_whole:
        return cached_structures(path, reader.name, lambda: _read_all(path, format))
    return _read_all(path, format)


def _read_all(path: Path, format: str | None) -> Structures:
    parts = list(_numbered(path, format))
    try:
        return joined(parts)
    except ValueError as error:
        raise ReadError(f"{path}: {error}") from error


def read_parts(path: PathLike, size: int = 1000, format: str | None = None) -> Iterator[Structures]:
    """The structures of a file, so many at once, in constant memory.

    Args:
        path: of the file; its suffix says the format, and a compression (.gz, .bz2, .xz).
        size: structures in each part; the last one may have fewer.
        format: the name of the format, where the suffix does not say it.

    Raises:
        ReadError: the file cannot be read; the message names the file, and the frame or row.
    """
    if size < 1:
        raise ValueError(f"A part has at least 1 structure; got size={size}.")
    waiting: list[Structures] = []
    count = 0
    for part in _numbered(Path(path), format):
        waiting.append(part)
        count += len(part)
        if count >= size:
            rows = joined(waiting) if len(waiting) > 1 else part
            whole = count - count % size
            for start in range(0, whole, size):
                yield rows.select(range(start, start + size)) if count > size else rows
            waiting = [rows.select(range(whole, count))] if whole < count else []
            count -= whole
    if waiting:
        yield joined(waiting)


def _numbered(path: Path, format: str | None) -> Iterator[Structures]:
    """The parts of a reader, each structure with its source and frame."""
    first = 0
    for part in reader_of(path, format).read(path):
        if not len(part):
            continue
        if not any(part.source):
            source = np.full(len(part), path.name)
            part = replace(part, source=source, frame=np.arange(first, first + len(part)))
        first += len(part)
        yield part
    if not first:
        raise ReadError(f"{path}: the file has no structures.")
