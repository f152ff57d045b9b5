"""A cache of parsed sources: one file per source in the user's cache folder."""

import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from steerable.ops import CACHE_VARIABLE, cache_folder

__all__ = ["cached"]

Table = dict[str, np.ndarray]


def cached(name: str, build: Callable[[], Table]) -> Table:
    """The arrays of `name.npz` in the cache folder.

    If the file is absent or damaged, they are built and written there. If the folder cannot be
    written to, a warning is given and the arrays are returned all the same.

    Args:
        name: the stem of the file; it must change with everything that `build` depends on.
        build: returns the arrays (without objects) by name.

    Returns:
        The arrays by name.
    """
    path = cache_folder() / f"{name}.npz"
    table = _read(path)
    if table is not None:
        return table
    table = build()
    try:
        _write(path, table)
    except OSError as error:
        warnings.warn(
            f"{name} could not be kept in {path.parent} ({error}) and will be read anew each time: "
            f"name a folder that can be written in the environment variable {CACHE_VARIABLE}.",
            stacklevel=3,
        )
    return table


def _read(path: Path) -> Table | None:
    try:
        # Reading every array to its end makes the archive verify its checksums.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return dict(archive)
    except Exception:  # a damaged file may raise anything
        return None


def _write(path: Path, table: Table) -> None:
    # The file is complete or absent: it gets its name only after everything has been written.
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f"{path.stem}.", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            np.savez(stream, allow_pickle=False, **table)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
