"""One quantity of many structures, with its unit and with what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Per = Literal["structure", "atom"]


@dataclass(frozen=True, eq=False)
class Column:
    """A quantity of structures, or of their atoms.

    Args:
        data: (row, ...), a row for each structure or for each atom: floating-point numbers,
            integers, truth values or texts.
        per: what has a row, `structure` or `atom`.
        unit: of the numbers, such as `eV/Angstrom`; empty if it is not known.
        known: (row,), whether a row has a value; None if all have one. Numbers that are missing
            are NaN, and other values that are missing are 0, False or "".
    """

    data: np.ndarray
    per: Per = "structure"
    unit: str = ""
    known: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.data)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one row: () for numbers, (3,) for vectors, (3, 3) for matrices."""
        return tuple(self.data.shape[1:])

    @property
    def missing(self) -> np.ndarray:
        """Whether each row (row,) has no value."""
        if self.known is None:
            return np.zeros(len(self), dtype=bool)
        return ~self.known

    def take(self, rows: np.ndarray) -> Column:
        """The column of some rows."""
        is_known = None if self.known is None else self.known[rows]
        if is_known is not None and is_known.all():
            is_known = None
        return Column(self.data[rows], self.per, self.unit, is_known)


def empty_rows(like: Column, count: int) -> Column:
    """A column of `count` rows without values, of the type of another."""
    data = np.zeros((count, *like.shape), dtype=like.data.dtype)
    if np.issubdtype(data.dtype, np.floating):
        data[:] = np.nan
    return Column(data, like.per, like.unit, np.zeros(count, dtype=bool))


def concatenated(parts: Sequence[Column]) -> Column:
    """One column from several of one kind.

    Raises:
        ValueError: the columns differ in what has a row, in their unit, or in the shape of a row.
    """
    first = parts[0]
    for part in parts[1:]:
        for word, one, other in (
            ("rows", first.per, part.per),
            ("unit", first.unit, part.unit),
            ("shape", first.shape, part.shape),
        ):
            if one != other:
                raise ValueError(f"the {word} differ: {one!r} and {other!r}.")
    is_known = None
    if any(part.known is not None for part in parts):
        is_known = np.concatenate([~part.missing for part in parts])
    return Column(np.concatenate([part.data for part in parts]), first.per, first.unit, is_known)
