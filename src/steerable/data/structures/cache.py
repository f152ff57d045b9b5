"""Structures of files in the user's cache folder, from which they are read much faster."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from ..cache import cached
from .archive import from_table, to_table
from .structures import Structures

_VERSION = 1  # of what readers return; raising it makes every file be read again


def cached_structures(path: Path, format: str, build: Callable[[], Structures]) -> Structures:
    """The structures of a file from the cache; they are read and kept if they are not there.

    The key is the SHA-256 of the whole file, or of all files of a folder, with its name and format:
    a changed file never has the structures of the old one. A damaged cache is built anew.

    Args:
        path: of the file or folder.
        format: the name of the reader.
        build: reads the file.
    """
    name = f"structures-{checksum(path, f'{_VERSION} {format}')}"
    return from_table(cached(name, lambda: to_table(build())))


def checksum(path: Path, salt: str = "") -> str:
    """The first 32 digits of the SHA-256 of the name and the content of a file or folder."""
    stamp = hashlib.sha256(f"{salt} {path.name}".encode())
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    for file in files:
        with file.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        stamp.update(f"\n{file.relative_to(path.parent)} {content}".encode())
    return stamp.hexdigest()[:32]
