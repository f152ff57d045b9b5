"""What there is in a set of structures, added up part by part: elements and columns."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from ..columns import Column, Per
from ..structures import Structures

_MOST_CATEGORIES = 1000  # different values that are counted


@dataclass(frozen=True)
class Range:
    """The smallest, the middle and the largest of some numbers."""

    min: float
    median: float
    max: float


@dataclass(frozen=True)
class Element:
    """In how many structures an element is, and how many atoms of it there are."""

    structures: int
    atoms: int


@dataclass(frozen=True)
class ColumnFacts:
    """What a column holds.

    Args:
        name: of the column.
        per: what has a row, `structure` or `atom`.
        shape: of one row.
        unit: of the numbers; empty if the file does not say it.
        kind: `number`, `integer`, `truth value` or `text`.
        structures: how many structures have the value, each of their atoms where it is per atom.
        mean: of all numbers.
        spread: their standard deviation.
        min: the smallest number.
        max: the largest number.
        different: how many different texts or truth values there are.
        categories: the most common ones, and how often each is there.
    """

    name: str
    per: Per
    shape: tuple[int, ...]
    unit: str
    kind: str
    structures: int
    mean: float | None = None
    spread: float | None = None
    min: float | None = None
    max: float | None = None
    different: int | None = None
    categories: tuple[tuple[str, int], ...] = ()


def range_of(values: np.ndarray) -> Range | None:
    """The range of the numbers that are finite; None where there are none."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return None
    return Range(float(finite.min()), float(np.median(finite)), float(finite.max()))


class ElementTally:
    """Counts the elements of parts."""

    def __init__(self) -> None:
        self.structures: Counter[int] = Counter()
        self.atoms: Counter[int] = Counter()

    def add(self, part: Structures) -> None:
        owner = np.repeat(np.arange(len(part)), part.sizes)
        elements = np.unique(np.column_stack([owner, part.z]), axis=0)[:, 1]
        self.structures.update(elements.tolist())
        self.atoms.update(part.z.tolist())


class ColumnTally:
    """Adds up one column of parts."""

    def __init__(self, name: str, like: Column) -> None:
        self.name = name
        self.like = like
        self.count, self.mean, self.squares = 0, 0.0, 0.0
        self.min, self.max = np.inf, -np.inf
        self.categories: Counter[str] = Counter()
        self.presence: list[np.ndarray] = []  # whether structures have the value, part by part
        self.broken: list[np.ndarray] = []  # whether it is NaN or infinite there
        self.others: list[int] = []  # structures at which the column becomes another quantity

    @property
    def is_numeric(self) -> bool:
        return self.like.data.dtype.kind in "fiu"

    def fits(self, column: Column) -> bool:
        """Whether a column is the same quantity: of the same type, rows, shape and unit."""
        numeric = column.data.dtype.kind in "fiu"
        return numeric == self.is_numeric and _type(column) == _type(self.like)

    def add(self, part: Structures, column: Column) -> None:
        rows = ~column.missing
        values = column.data[rows]
        broken = np.zeros(len(column), dtype=bool)
        if column.data.dtype.kind == "f":
            broken = rows & ~np.isfinite(column.data.reshape(len(column), -1)).all(1)
        self.broken.append(structures_with(part, column, broken))
        self.presence.append(~structures_with(part, column, ~rows | broken))
        if self.is_numeric:
            self._add_numbers(values.astype(np.float64).ravel())
        elif len(self.categories) < _MOST_CATEGORIES:
            self.categories.update(str(value) for value in values.ravel())

    def skip(self, structures: int) -> None:
        """Note structures that do not have the column."""
        self.presence.append(np.zeros(structures, dtype=bool))
        self.broken.append(np.zeros(structures, dtype=bool))

    def facts(self) -> ColumnFacts:
        like = self.like
        kinds = {"f": "number", "i": "integer", "u": "integer", "b": "truth value"}
        kind = kinds.get(like.data.dtype.kind, "text")
        total = int(sum(part.sum() for part in self.presence))
        basis = (self.name, like.per, like.shape, like.unit, kind, total)
        if not self.is_numeric:
            common = tuple(self.categories.most_common(10))
            return ColumnFacts(*basis, different=len(self.categories), categories=common)
        if not self.count:
            return ColumnFacts(*basis)
        spread = (self.squares / self.count) ** 0.5
        return ColumnFacts(*basis, self.mean, float(spread), float(self.min), float(self.max))

    def _add_numbers(self, values: np.ndarray) -> None:
        """Update mean and sum of squares by those of new numbers, as Chan, Golub and LeVeque do."""
        values = values[np.isfinite(values)]
        if not len(values):
            return
        count, mean = self.count + len(values), float(values.mean())
        gap = mean - self.mean
        self.squares += float(((values - mean) ** 2).sum())
        self.squares += gap**2 * self.count * len(values) / count
        self.mean += gap * len(values) / count
        self.count = count
        self.min = min(self.min, values.min())
        self.max = max(self.max, values.max())


def structures_with(part: Structures, column: Column, rows: np.ndarray) -> np.ndarray:
    """Whether a structure (structure,) has one of the rows (row,) of a column, or more."""
    if column.per == "structure":
        return rows
    owner = np.repeat(np.arange(len(part)), part.sizes)
    return np.bincount(owner, rows, len(part)) > 0


def _type(column: Column) -> tuple[str, tuple[int, ...], str]:
    return column.per, column.shape, column.unit
