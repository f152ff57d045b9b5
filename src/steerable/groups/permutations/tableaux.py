"""Partitions and Young tableaux: names, dimensions and characters of the irreps of S_n."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import pairwise, product
from math import factorial

import numpy as np
from numpy.typing import NDArray

from ..closure import GroupError

Partition = tuple[int, ...]
Integers = NDArray[np.int64]


def as_partition(parts: Iterable[int], n: int | None = None) -> Partition:
    """Check that integers form a partition: at least 1, descending, such as (3, 1).

    Args:
        parts: the integers.
        n: what they must add up to; not checked by default.

    Raises:
        GroupError: they are not a partition, or their sum is not `n`.
    """
    shape = tuple(parts)
    whole = all(isinstance(part, int | np.integer) and part > 0 for part in shape)
    if not shape or not whole or any(a < b for a, b in pairwise(shape)):
        raise GroupError(
            f"{shape} is no partition: write whole numbers from the largest down to 1 or more, "
            "such as (3, 1)."
        )
    if n is not None and sum(shape) != n:
        raise GroupError(f"{shape} is a partition of {sum(shape)}; a partition of {n} is wanted.")
    return tuple(int(part) for part in shape)


@cache
def partitions(n: int, largest: int | None = None) -> tuple[Partition, ...]:
    """The partitions of `n` into parts of at most `largest`.

    They are in reverse lexicographic order: (3), (2, 1), (1, 1, 1).
    """
    if n == 0:
        return ((),)
    result: list[Partition] = []
    for part in range(min(n, largest or n), 0, -1):
        result += [(part, *rest) for rest in partitions(n - part, part)]
    return tuple(result)


def partitions_of_degree(n: int, degree: int) -> tuple[Partition, ...]:
    """The partitions of `n` with at most `degree` boxes below the first row.

    They name the irreps that occur in tensors of order `degree`, in the order of `partitions`.
    """
    result: list[Partition] = []
    for boxes in range(min(degree, n - 1) + 1):
        result += [(n - boxes, *rest) for rest in partitions(boxes, n - boxes)]
    return tuple(result)


def below(shape: Partition) -> list[Partition]:
    """The shapes with one box less, those with a shorter first row first.

    They name the irreps in the restriction from S_n to S_(n-1).
    """
    padded = (*shape, 0)
    corners = [row for row in range(len(shape)) if padded[row] > padded[row + 1]]
    return [_with_box(shape, row, -1) for row in corners]


def above(shape: Partition) -> list[Partition]:
    """The shapes with one box more, those with a longer first row first.

    They name the irreps in the representation induced from S_n to S_(n+1).
    """
    padded = (*shape, 0)
    corners = [row for row in range(len(padded)) if row == 0 or padded[row] < padded[row - 1]]
    return [_with_box(shape, row, 1) for row in corners]


def _with_box(shape: Partition, row: int, change: int) -> Partition:
    rows = [*shape, 0]
    rows[row] += change
    return tuple(part for part in rows if part)


@cache
def dimension(shape: Partition) -> int:
    """The number of standard tableaux: n! over the product of all hook lengths.

    This is the formula of Frame, Robinson and Thrall.
    """
    parts = np.array(shape)
    hooks = 1
    for row, part in enumerate(shape):
        for column in range(part):
            right, down = part - column - 1, int((parts[row + 1 :] > column).sum())
            hooks *= right + down + 1
    return factorial(sum(shape)) // hooks


@cache
def standard_tableaux(shape: Partition) -> Integers:
    """The standard tableaux (tableau, n), given by the row of each of the numbers 0..n-1.

    They are ordered by the row of n - 1, then of n - 2, and so on. Tableaux with n - 1 in the same
    row are consecutive, in the order of the smaller shape, so that the restriction of the irrep to
    S_(n-1) is block diagonal.
    """
    n = sum(shape)
    if n == 0:
        return np.zeros((1, 0), dtype=np.int64)
    blocks = []
    for smaller in below(shape):
        padded = (*smaller, *(0,) * (len(shape) - len(smaller)))
        row = next(row for row, part in enumerate(shape) if padded[row] != part)
        inner = standard_tableaux(smaller)
        blocks.append(np.concatenate([inner, np.full((len(inner), 1), row)], axis=1))
    tableaux = np.concatenate(blocks)
    tableaux.flags.writeable = False
    return tableaux


@cache
def kostka(shape: Partition, content: Partition) -> int:
    """The Kostka number: semistandard tableaux that contain number k content[k] times.

    It is the multiplicity of the irrep in the Young module of `content`.
    """
    if not content:
        return int(not shape)
    # The boxes of the last number form a horizontal strip: removing it leaves every row at least as
    # long as the next row was.
    rest = sum(shape) - content[-1]
    lengths = [range(low, high + 1) for low, high in zip((*shape[1:], 0), shape, strict=True)]
    total = 0
    for rows in product(*lengths):
        if sum(rows) == rest:
            total += kostka(tuple(part for part in rows if part), content[:-1])
    return total


@cache
def character(shape: Partition, cycles: Partition) -> int:
    """The trace of the irrep at permutations with the given cycle lengths.

    It is computed by the Murnaghan-Nakayama rule. With beads at b_i = shape_i + (rows - 1 - i),
    removing a rim hook moves one bead down by the length of the hook to a free place; the sign
    counts the beads that it passes.
    """
    if not cycles:
        return int(not shape)
    beads = [part + len(shape) - 1 - row for row, part in enumerate(shape)]
    total = 0
    for bead in beads:
        target = bead - cycles[0]
        if target >= 0 and target not in beads:
            passed = sum(target < other < bead for other in beads)
            places = sorted({*beads, target} - {bead}, reverse=True)
            smaller = tuple(b - len(places) + 1 + row for row, b in enumerate(places))
            total += (-1) ** passed * character(tuple(part for part in smaller if part), cycles[1:])
    return total


def character_table(n: int) -> Integers:
    """The characters of S_n (irrep, class), both in the order of `partitions`."""
    classes = partitions(n)
    values = [character(shape, cycles) for shape in partitions(n) for cycles in classes]
    return np.array(values).reshape(len(classes), len(classes))
