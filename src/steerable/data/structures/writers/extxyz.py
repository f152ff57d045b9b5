"""The writer of extended XYZ, in which every number survives bit for bit."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO

import numpy as np

from steerable.data.elements import SYMBOLS

from ..columns import Column
from ..readers.files import open_text
from ..structures import Structures
from ..texts import text_of

_RESERVED = {
    "structure": ("Lattice", "pbc", "Properties", "units", "shapes"),
    "atom": ("species", "symbols", "pos", "positions", "Z", "numbers", "charge"),
}
_TYPES = {"f": "R", "i": "I", "u": "I", "b": "L", "U": "S"}
_QUOTED = frozenset("\"'{}[]\\=, \t")


def write_extxyz(path: Path, parts: Iterable[Structures]) -> None:
    """Write structures part by part.

    Numbers have the fewest digits that are read back as the same number. A quantity that a
    structure misses is left out of its frame. Units are the key `units`, a table as JSON; rows of
    atoms that are no vectors have their shape in the key `shapes`.

    Args:
        path: of the file; .gz, .bz2 or .xz compress it.
        parts: the structures.

    Raises:
        ValueError: the format has no place for a quantity: its name has a meaning there, or it is
            texts of atoms that have spaces.
    """
    with open_text(path, "wt") as stream:
        for part in parts:
            write_extxyz_part(stream, part)


def write_extxyz_part(stream: IO[str], part: Structures) -> None:
    """Write structures to a stream of text, as `write_extxyz` does."""
    _check_names(part)
    tables = _tables(part.columns)
    atoms = {name: one for name, one in part.columns.items() if one.per == "atom"}
    words = {name: _words(column, name) for name, column in atoms.items()}
    symbols = [SYMBOLS[z] for z in part.z.tolist()]
    places = _floats(part.pos)
    for row in range(len(part)):
        first, last = int(part.ends[row]), int(part.ends[row + 1])
        there = [name for name, column in atoms.items() if _has_value(column, first, last)]
        properties = "".join([_property(name, atoms[name]) for name in there])
        comment = _comment(part, row, f"species:S:1:pos:R:3{properties}", tables)
        rows = zip(
            symbols[first:last],
            places[first:last],
            *[words[name][first:last] for name in there],
            strict=True,
        )
        lines = "".join([" ".join(line) + "\n" for line in rows])
        stream.write(f"{last - first}\n{comment}\n{lines}")


def _check_names(part: Structures) -> None:
    for name, column in part.columns.items():
        if name in _RESERVED[column.per] or (column.per == "atom" and set(": \t") & set(name)):
            raise ValueError(
                f"Extended XYZ has no place for {name!r} of each {column.per}: the name has a "
                "meaning there. Rename the column, or write .npz."
            )


def _tables(columns: Mapping[str, Column]) -> str:
    """The keys `units` and `shapes`, where there are any."""
    units = {name: column.unit for name, column in columns.items() if column.unit}
    shapes = {
        name: list(column.shape)
        for name, column in columns.items()
        if column.per == "atom" and (len(column.shape) > 1 or column.shape == (1,))
    }
    tables = {"units": units, "shapes": shapes}
    return "".join([f" {key}={_quoted(json.dumps(one))}" for key, one in tables.items() if one])


def _has_value(column: Column, first: int, last: int) -> bool:
    return column.known is None or first == last or bool(column.known[first:last].any())


def _property(name: str, column: Column) -> str:
    return f":{name}:{_TYPES[column.data.dtype.kind]}:{int(np.prod(column.shape))}"


def _comment(part: Structures, row: int, properties: str, tables: str) -> str:
    items = []
    if part.cell[row].any():
        items.append(f'Lattice="{_floats(part.cell[row].reshape(1, 9))[0]}"')
    items.append(f"Properties={properties}")
    items.append(f'pbc="{" ".join(np.where(part.pbc[row], "T", "F"))}"')
    for name, column in part.columns.items():
        if column.per == "structure" and (column.known is None or column.known[row]):
            value = column.data[row]
            text = text_of(str(value) if column.data.dtype.kind == "U" else value, name)
            items.append(f"{_quoted(name)}={_quoted(text)}")
    return " ".join(items) + tables


def _quoted(text: str) -> str:
    """A key or a value in the quotes that it needs."""
    if not _QUOTED & set(text):
        return text
    for quote in "\"'":
        if quote not in text and "\\" not in text:
            return f"{quote}{text}{quote}"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _words(column: Column, name: str) -> list[str]:
    """The words of each row."""
    kind = column.data.dtype.kind
    rows = column.data.reshape(len(column), -1)
    if kind == "f":
        return _floats(rows)
    if kind == "b":
        return [" ".join(row) for row in np.where(rows, "T", "F").tolist()]
    for text in set(rows.flat) if kind == "U" else ():
        if len(text.split()) != 1 and (text or column.known is None):
            raise ValueError(
                f"Extended XYZ has no place for the text {str(text)!r} of an atom in {name!r}: a "
                "text there is one word. Write .npz."
            )
    return [" ".join(map(str, row)) for row in rows.tolist()]


def _floats(rows: np.ndarray) -> list[str]:
    """Numbers (row, column) as words, a text a row."""
    columns = [list(map(repr, column)) for column in rows.T.tolist()]
    return list(map(" ".join, zip(*columns, strict=True)))
