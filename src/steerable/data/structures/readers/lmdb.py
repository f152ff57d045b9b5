"""The reader of ASE's data bases in LMDB (.aselmdb), as fairchem writes them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from ..structures import Structures
from .database import read_database


def read_lmdb(path: Path) -> Iterator[Structures]:
    """Read the rows of a data base, part by part, as `read_database` does.

    Args:
        path: of the file. It is not written to, and may be on a disk that cannot be written to.

    Raises:
        ImportError: ase-db-backends is not installed.
        ReadError: it is no data base of ASE in LMDB, or a row cannot be read.
    """
    if find_spec("ase_db_backends") is None:
        raise ImportError(
            f"{path}: files .aselmdb are read by ase-db-backends, which is not installed: pip "
            "install 'steerable[lmdb]'."
        )
    yield from read_database(path, readonly=True)
