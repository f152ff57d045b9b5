"""The frames of an XYZ file as lines, not yet read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO

from ...errors import ReadError
from ..files import open_bytes


@dataclass(slots=True)
class Frame:
    """One structure.

    Args:
        place: the file and the number of the frame, in words.
        comment: its second line.
        rows: a line for each atom.
        vectors: lines `VEC1 x y z` of the vectors of a cell, as ADF writes them.
    """

    place: str
    comment: str
    rows: list[bytes]
    vectors: list[bytes] = field(default_factory=list)


def read_frames(path: Path) -> Iterator[Frame]:
    """The frames of a file one by one.

    Raises:
        ReadError: a frame does not begin with its number of atoms, or ends too early.
    """
    with open_bytes(path) as stream:
        number = 0
        frame: Frame | None = None
        for line in stream:
            words = line.split()
            if not words:
                continue
            if words[0].startswith(b"VEC") and frame is not None:
                frame.vectors.append(line)
                continue
            if frame is not None:
                yield frame
            frame = _read_frame(stream, words, f"{path}, frame {number}")
            number += 1
        if frame is not None:
            yield frame


def _read_frame(stream: IO[bytes], words: list[bytes], place: str) -> Frame:
    try:
        count = int(words[0]) if len(words) == 1 else -1
    except ValueError:
        count = -1
    if count < 0:
        line = _text(b" ".join(words))
        raise ReadError(
            f"{place}: a frame begins with a line of its number of atoms; got {line[:60]!r}. Does "
            "the frame before it have more lines than its number of atoms?"
        )
    comment = _text(stream.readline())
    rows = list(islice(stream, count))
    if len(rows) < count:
        raise ReadError(
            f"{place}: the file ends after {len(rows)} of its {count} atoms. Remove the last "
            "frame, or write the file anew."
        )
    if rows and not rows[-1].endswith(b"\n"):
        rows[-1] += b"\n"
    return Frame(place, comment, rows)


def _text(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")
