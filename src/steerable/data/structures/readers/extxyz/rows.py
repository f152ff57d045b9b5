"""The rows of atoms of frames that have the same properties."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from steerable.data.elements import NUMBERS

from ...errors import ReadError
from .fixed import read_fixed
from .frames import Frame

# The names that ASE gives to properties of files.
_NAMES = {"pos": "positions", "Z": "numbers", "charge": "charges", "species": "symbols"}
_KINDS = {"R": "real", "I": "integer", "S": "text", "L": "logical"}
_TRUTHS = {"T": True, "True": True, "F": False, "False": False}
_MARK = "|"  # ends a row among the words of many


class Property(NamedTuple):
    """One property of atoms: its type R, I, S or L, its first column and how many it has."""

    name: str
    kind: str
    start: int
    width: int


def read_properties(text: str) -> list[Property]:
    """The properties of `species:S:1:pos:R:3`.

    Raises:
        ValueError: it is of another form.
    """
    fields = text.split(":")
    properties = []
    start = 0
    for name, kind, count in zip(fields[::3], fields[1::3], fields[2::3], strict=False):
        if kind not in _KINDS or not count.isdigit() or int(count) < 1:
            raise ValueError(f"{name}:{kind}:{count} among the Properties is of no known type.")
        properties.append(Property(_NAMES.get(name, name), kind, start, int(count)))
        start += int(count)
    if len(fields) % 3 or not properties:
        raise ValueError(f"Properties are NAME:TYPE:COLUMNS, one after the other; got {text!r}.")
    return properties


def read_rows(frames: Sequence[Frame], properties: str) -> dict[str, np.ndarray]:
    """The properties of all atoms of the frames (atom, ...), and `numbers` (atom,).

    Raises:
        ReadError: a row cannot be read; the message names the frame and the atom.
    """
    try:
        listed = read_properties(properties)
    except ValueError as error:
        raise ReadError(f"{frames[0].place}: {error}") from error
    arrays = _read_fixed_rows(frames, listed) or _read_words(frames, listed)
    symbols = arrays.pop("symbols", None)
    if "numbers" not in arrays:
        if symbols is None:
            raise ReadError(f"{frames[0].place}: there is neither species nor Z in Properties.")
        arrays["numbers"] = _numbers(frames, symbols)
    if "positions" not in arrays or arrays["positions"].shape[1:] != (3,):
        raise ReadError(f"{frames[0].place}: there is no pos:R:3 in Properties.")
    return arrays


def _read_fixed_rows(
    frames: Sequence[Frame], properties: list[Property]
) -> dict[str, np.ndarray] | None:
    """The fast path: a symbol, then numbers, in columns of one width."""
    first, *others = properties
    if first[0] != "symbols" or first.width != 1 or any(one.kind not in "RI" for one in others):
        return None
    lines = [line for frame in frames for line in frame.rows]
    if len({len(line) for line in lines}) != 1:
        return None
    rows = read_fixed(b"".join(lines), sum(one.width for one in others))
    if rows is None:
        return None
    arrays = {"symbols": rows.symbols.astype(str)}
    for one in others:
        values = rows.numbers[:, one.start - 1 : one.start - 1 + one.width]
        if one.kind == "I":
            if (values != np.floor(values)).any():
                return None
            values = values.astype(np.int64)
        arrays[one.name] = values[:, 0] if one.width == 1 else values
    return arrays


def _read_words(frames: Sequence[Frame], properties: list[Property]) -> dict[str, np.ndarray]:
    """Any rows, read as words."""
    width = properties[-1].start + properties[-1].width
    words = _words(frames, width)
    arrays = {}
    for one in properties:
        columns = range(one.start, one.start + one.width)
        try:
            values = [_values(words[k :: width + 1], one.kind) for k in columns]
        except (ValueError, KeyError, OverflowError) as error:
            raise _row_error(frames, one) or error from error
        arrays[one.name] = values[0] if one.width == 1 else np.stack(values, 1)
    return arrays


def _words(frames: Sequence[Frame], width: int) -> list[str]:
    """The words of all rows, with a mark after each row of `width` words."""
    text = b"".join([line for frame in frames for line in frame.rows])
    words = text.replace(b"\n", b" | ").decode("utf-8", errors="replace").split()
    count = sum(len(frame.rows) for frame in frames)
    marks = words[width :: width + 1]
    if len(words) == count * (width + 1) and marks.count(_MARK) == count:
        return words
    result: list[str] = []
    for frame in frames:
        for atom, line in enumerate(frame.rows):
            row = line.decode("utf-8", errors="replace").split()
            if len(row) < width:
                raise ReadError(
                    f"{frame.place}, atom {atom}: the row has {len(row)} of {width} columns. Is "
                    "the file cut off, or the number of atoms too large?"
                )
            result += [*row[:width], _MARK]
    return result


def _values(words: list[str], kind: str) -> np.ndarray:
    if kind == "R":
        return np.array(list(map(float, words)), dtype=np.float64)
    if kind == "I":
        return np.array(list(map(int, words)), dtype=np.int64)
    if kind == "L":
        return np.array([_TRUTHS[word] for word in words], dtype=bool)
    return np.array(words, dtype=str)


def _row_error(frames: Sequence[Frame], one: Property) -> ReadError | None:
    """The first row in which a property is not of its type."""
    for frame in frames:
        for atom, line in enumerate(frame.rows):
            row = line.decode("utf-8", errors="replace").split()
            for word in row[one.start : one.start + one.width]:
                try:
                    _values([word], one.kind)
                except (ValueError, KeyError, OverflowError):
                    return ReadError(
                        f"{frame.place}, atom {atom}: {one.name} is {_KINDS[one.kind]} in "
                        f"Properties; got {word!r}."
                    )
    return None


def _numbers(frames: Sequence[Frame], symbols: np.ndarray) -> np.ndarray:
    """The atomic numbers of symbols, in any case, or of numbers."""
    names, places = np.unique(symbols, return_inverse=True)
    numbers = [_number(str(name)) for name in names]
    if None in numbers:
        name = str(names[numbers.index(None)])
        row = int(np.flatnonzero(symbols == name)[0])
        for frame in frames:
            if row < len(frame.rows):
                raise ReadError(f"{frame.place}, atom {row}: {name!r} is no symbol of an element.")
            row -= len(frame.rows)
    return np.array(numbers, dtype=np.int64)[places]


def _number(name: str) -> int | None:
    name = name.strip()
    if name.isdigit():
        return int(name) if int(name) < len(NUMBERS) - 1 else None
    return NUMBERS.get(name.capitalize())
