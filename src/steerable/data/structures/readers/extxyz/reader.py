"""The reader of XYZ and extended XYZ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...columns import Column
from ...columns_of import column_of, spread
from ...errors import ReadError
from ...structures import Structures
from ...texts import values_of
from ...units import with_units
from .comments import FREE_TEXT, read_comment
from .frames import Frame, read_frames
from .rows import read_rows

_FRAMES = 1000  # that are read at once
_ATOMS = 50_000  # at which no further frame is taken
_PLAIN = "species:S:1:pos:R:3"


class _Texts(NamedTuple):
    """The texts of one key, and in which frames of a part they are."""

    rows: list[int]
    texts: list[str]


def read_extxyz(path: Path) -> Iterator[Structures]:
    """Read XYZ and extended XYZ, part by part.

    The columns are the keys of comment lines and the properties of atoms, under the names that
    ASE gives them. A comment without any `=` is the text `comment`. A key that some frames lack,
    and numbers that are NaN, are missing there. `stress` is (3, 3), also from six numbers in
    Voigt's order. Values of no one kind or shape are kept as texts.

    Args:
        path: of the file.

    Raises:
        ReadError: a frame cannot be read.
    """
    first = 0
    for frames in _batches(path):
        part = _read_part(frames)
        yield Structures(
            *part, np.full(len(frames), path.name), np.arange(first, first + len(frames))
        )
        first += len(frames)


def _batches(path: Path) -> Iterator[list[Frame]]:
    frames: list[Frame] = []
    atoms = 0
    for frame in read_frames(path):
        frames.append(frame)
        atoms += len(frame.rows)
        if len(frames) == _FRAMES or atoms >= _ATOMS:
            yield frames
            frames, atoms = [], 0
    if frames:
        yield frames


class _Part(NamedTuple):
    """The fields of `Structures` up to the columns."""

    z: np.ndarray
    pos: np.ndarray
    ends: np.ndarray
    cell: np.ndarray
    pbc: np.ndarray
    columns: Mapping[str, Column]


def _read_part(frames: Sequence[Frame]) -> _Part:
    keys = _read_keys(frames)
    properties = keys.pop("Properties", _Texts([], []))
    by_frame = dict(zip(properties.rows, properties.texts, strict=True))
    atoms = _read_atoms(frames, [by_frame.get(k, _PLAIN) for k in range(len(frames))])
    cell, pbc = _read_cells(frames, keys)
    units = _read_table(frames, keys, "units")
    shapes = _read_table(frames, keys, "shapes")
    z, pos = atoms.pop("numbers").data, atoms.pop("positions").data
    atoms |= {name: _shaped(atoms[name], shape) for name, shape in shapes.items() if name in atoms}
    columns = {}
    for key, texts in keys.items():
        # Atoms and structures may have a quantity of one name; that of the atoms keeps it.
        name = f"info_{key}" if key in atoms else key
        columns[name] = _read_key(key, texts, len(frames))
    ends = np.cumsum([0, *[len(frame.rows) for frame in frames]], dtype=np.int64)
    return _Part(z, pos, ends, cell, pbc, with_units({**columns, **atoms}, units))


def _read_keys(frames: Sequence[Frame]) -> dict[str, _Texts]:
    """The texts of each key of the comment lines."""
    keys: dict[str, _Texts] = {}
    for row, frame in enumerate(frames):
        try:
            items = read_comment(frame.comment)
        except ValueError as error:
            raise ReadError(f"{frame.place}, its comment line: {error}") from error
        if frame.vectors:
            items = {FREE_TEXT: frame.comment.strip()}
        for key, text in items.items():
            if key not in keys:
                keys[key] = _Texts([], [])
            keys[key].rows.append(row)
            keys[key].texts.append(text)
    return keys


def _read_key(key: str, texts: _Texts, rows: int) -> Column:
    # Many frames may share a text, such as that of a cell: each is read once.
    places = dict(zip(dict.fromkeys(texts.texts), count(), strict=False))
    values = np.asarray(values_of(list(places), key))
    if len(places) < len(texts.texts):
        values = values[[places[text] for text in texts.texts]]
    return spread(column_of(values), np.array(texts.rows), rows)


def _read_atoms(frames: Sequence[Frame], properties: Sequence[str]) -> dict[str, Column]:
    """The properties of atoms, as columns of the atoms of all frames."""
    sizes = np.array([len(frame.rows) for frame in frames])
    owner = np.repeat(np.arange(len(frames)), sizes)
    kinds = np.array(properties)
    columns: dict[str, Column] = {}
    for kind in dict.fromkeys(properties):
        group = [frame for frame, one in zip(frames, properties, strict=True) if one == kind]
        atoms = np.flatnonzero(kinds[owner] == kind)
        for name, values in read_rows(group, kind).items():
            column = spread(column_of(values, "atom"), atoms, len(owner))
            if name in columns:
                column = _joined(columns[name], column, name, group[0])
            columns[name] = column
    return columns


def _joined(one: Column, other: Column, name: str, frame: Frame) -> Column:
    """One column of two that have values in different rows."""
    if one.shape != other.shape:
        raise ReadError(
            f"{frame.place}: {name} has rows of the shape {other.shape}, and of {one.shape} in "
            "other frames."
        )
    there = ~other.missing
    is_other = there.reshape(-1, *[1] * len(other.shape))
    data = np.where(is_other, other.data, one.data)
    missing = one.missing & ~there
    return Column(data, "atom", known=~missing if missing.any() else None)


def _read_cells(frames: Sequence[Frame], keys: dict[str, _Texts]) -> tuple[np.ndarray, np.ndarray]:
    """Cells (frame, 3, 3) and where they repeat (frame, 3)."""
    cell = np.zeros((len(frames), 3, 3))
    pbc = np.zeros((len(frames), 3), dtype=bool)
    lattice = keys.pop("Lattice", None)
    if lattice is not None:
        column = _checked(frames, "Lattice", lattice, (3, 3), "nine numbers")
        cell[lattice.rows] = column.swapaxes(1, 2)  # the file has the vectors in columns
        pbc[lattice.rows] = True
    periodic = keys.pop("pbc", None)
    if periodic is not None:
        texts = [text if len(text.split()) > 1 else f"{text} " * 3 for text in periodic.texts]
        periodic = _Texts(periodic.rows, texts)
        pbc[periodic.rows] = _checked(frames, "pbc", periodic, (3,), "three of T and F")
    for row, frame in enumerate(frames):
        if frame.vectors:
            cell[row], pbc[row] = _read_vectors(frame)
    return cell, pbc


def _checked(
    frames: Sequence[Frame], key: str, texts: _Texts, shape: tuple[int, ...], words: str
) -> np.ndarray:
    column = _read_key(key, texts, len(frames))
    if column.shape == shape and column.data.dtype.kind in "bif":
        return column.data[texts.rows]
    for row, text in zip(texts.rows, texts.texts, strict=True):
        if np.asarray(values_of([text], key)).shape != (1, *shape):
            raise ReadError(f"{frames[row].place}: {key} is {words}; got {text!r}.")
    raise ReadError(f"{frames[texts.rows[0]].place}: {key} is {words}.")


def _read_vectors(frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    """The cell and its directions from lines `VEC1 x y z`."""
    cell, pbc = np.zeros((3, 3)), np.zeros(3, dtype=bool)
    for k, line in enumerate(frame.vectors):
        words = line.split()
        if k > 2 or len(words) != 4 or words[0] != b"VEC%d" % (k + 1):
            raise ReadError(f"{frame.place}: its cell has lines VEC1 x y z, VEC2, VEC3.")
        cell[k] = [float(word) for word in words[1:]]
        pbc[k] = True
    return cell, pbc


def _read_table(frames: Sequence[Frame], keys: dict[str, _Texts], name: str) -> dict[str, Any]:
    """What is said of columns by name, where the key `units` or `shapes` is a table as JSON."""
    table: dict[str, Any] = {}
    if name not in keys or not keys[name].texts[0].startswith("{"):
        return table
    rows, texts = keys.pop(name)
    for text in dict.fromkeys(texts):
        place = frames[rows[texts.index(text)]].place
        try:
            entries = dict(json.loads(text))
        except ValueError as error:
            raise ReadError(f"{place}: {name} are JSON, one by name; got {text!r}.") from error
        for key, entry in entries.items():
            if table.setdefault(key, entry) != entry:
                raise ReadError(
                    f"{place}: the {name} of {key} are {entry}, and {table[key]} in other frames."
                )
    return table


def _shaped(column: Column, shape: Sequence[int]) -> Column:
    return replace(column, data=column.data.reshape(-1, *shape))
