"""Files that are written as a whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mktemp
from typing import IO


@contextmanager
def whole_file(path: Path | str) -> Iterator[IO[bytes]]:
    """A file to write bytes to, which takes its place when the block ends without an error.

    Until then, what is written is in a hidden file beside it. A link stays a link, and the file it
    points to is replaced; devices and pipes, such as /dev/stdout, are written to as they are. New
    files have the rights that the user's umask leaves, others keep theirs.

    Args:
        path: of the file, in a folder that exists.
    """
    path = Path(path)
    if _is_stream(path):
        with path.open("wb") as stream:
            yield stream
        return
    place = path.resolve()
    # Opened without tempfile's own rights, which leave out all other users.
    name = Path(mktemp(prefix=f".{place.name}.", dir=place.parent))
    try:
        with name.open("xb") as file:
            yield file
        if place.exists():
            shutil.copymode(place, name)
        os.replace(name, place)
    except BaseException:
        name.unlink(missing_ok=True)
        raise


def _is_stream(path: Path) -> bool:
    """Whether a path is a device, a pipe, or a name of an open file, such as /dev/stdout."""
    if path.absolute().parts[1:2] in (("dev",), ("proc",)):
        return True
    return path.exists() and not path.is_file()
