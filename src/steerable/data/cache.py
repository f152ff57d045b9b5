"""One file for each parsed source in the user's cache folder, complete or absent."""

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

    They are built and kept there where the file is absent or damaged.

    Args:
        name: the file's stem; it must change with whatever `build` depends on.
        build: gives the arrays (no objects).

    Returns:
        The arrays by name. A folder that cannot be written costs the cache, not the data: it gives
        a warning.
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
        # Reading each array to its end makes the archive compare its checksums.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return dict(archive)
    except Exception:  # a damaged file raises whatever its first wrong byte makes of it
        return None


def _write(path: Path, table: Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f"{path.stem}.", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            np.savez(stream, allow_pickle=False, **table)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
