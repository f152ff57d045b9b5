"""The reader of the archives that this library writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..archive import from_table
from ..errors import ReadError
from ..structures import Structures


def read_archive(path: Path) -> Iterator[Structures]:
    """Read the structures that `write` has written to an .npz.

    Args:
        path: of the file.

    Raises:
        ReadError: it is no such archive, or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            yield from_table(dict(archive))
    except Exception as error:  # a damaged file may raise anything
        raise ReadError(f"{path}: it is no archive of structures, or damaged: {error}") from error
