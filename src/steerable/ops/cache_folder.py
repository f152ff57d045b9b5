"""Where the library keeps what it makes once."""

import os
import stat
from pathlib import Path

from platformdirs import user_cache_dir

CACHE_VARIABLE = "STEERABLE_CACHE"


class UnsafeCacheError(OSError):
    """Code in the cache that somebody else may have written."""


def cache_folder() -> Path:
    """The folder that `STEERABLE_CACHE` names, else the user's cache folder of this platform."""
    return Path(os.environ.get(CACHE_VARIABLE) or user_cache_dir("steerable"))


def private_folder(name: str) -> Path:
    """A folder for code in the cache folder, which only this user may write and read.

    Raises:
        UnsafeCacheError: it is there, and somebody else may write it, or replace it.
        OSError: it cannot be created.
    """
    folder = cache_folder() / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    above = folder.parent.stat().st_mode
    if above & stat.S_IWOTH and not above & stat.S_ISVTX:
        raise UnsafeCacheError(
            f"everybody may replace what is in {folder.parent}: take the right to write from "
            f"others (chmod o-w), or name another folder in {CACHE_VARIABLE}"
        )
    check_private(folder)
    return folder


def check_private(path: Path) -> None:
    """Raise UnsafeCacheError unless `path` is of this user or root, and others cannot write it."""
    status = path.lstat()
    owners = (0, os.getuid()) if hasattr(os, "getuid") else (status.st_uid,)
    open_to_others = os.name == "posix" and status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if stat.S_ISLNK(status.st_mode) or status.st_uid not in owners or open_to_others:
        raise UnsafeCacheError(
            f"{path} is a link, of another user, or others may write it: remove it, or name "
            f"another folder in {CACHE_VARIABLE}"
        )
