"""Files that may be compressed, by their suffix."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Literal, cast

COMPRESSED: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


def plain_name(path: Path) -> str:
    """The name of a file without the suffix of its compression."""
    return path.stem if path.suffix.lower() in COMPRESSED else path.name


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file, which may be compressed (.gz, .bz2, .xz), for reading bytes."""
    opener = COMPRESSED.get(path.suffix.lower())
    return path.open("rb") if opener is None else cast(IO[bytes], opener(path, "rb"))


def open_text(path: Path, mode: Literal["rt", "wt"] = "rt") -> IO[str]:
    """Open a file, which may be compressed (.gz, .bz2, .xz), for text in UTF-8."""
    opener = COMPRESSED.get(path.suffix.lower())
    if opener is None:
        return path.open(mode, encoding="utf-8")
    return cast(IO[str], opener(path, mode, encoding="utf-8"))
