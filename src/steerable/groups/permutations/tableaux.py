"""Partitions and Young tableaux.

What names, sizes and counts the irreps of the symmetric groups.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import pairwise, product
from math import factorial, prod

import numpy as np
from numpy.typing import NDArray

from ..closure import GroupError

Partition = tuple[int, ...]
Integers = NDArray[np.int64]


def as_partition(parts: Iterable[int], n: int | None = None) -> Partition:
    """Whole numbers of at least 1 in descending order, such as (3, 1), whose sum is `n` if given.

    Raises:
        GroupError: they are something else.
    """
    shape = tuple(parts)
    whole = all(isinstance(part, int | np.integer) and part > 0 for part in shape)
    if not shape or not whole or any(a < b for a, b in pairwise(shape)):
        raise GroupError(
            f"{shape} is no partition: write whole numbers from the largest down to 1 or more, as "
            "(3, 1)."
        )
    if n is not None and sum(shape) != n:
        raise GroupError(f"{shape} is a partition of {sum(shape)}; a partition of {n} is wanted.")
    return tuple(int(part) for part in shape)


@cache
def partitions(n: int, largest: int | None = None) -> tuple[Partition, ...]:
    """The partitions of `n` into parts of at most `largest`.

    In reverse lexicographic order: (3), (2, 1), (1, 1, 1).
    """
    if n == 0:
        return ((),)
    first = range(min(n, largest or n), 0, -1)
    return tuple((part, *rest) for part in first for rest in partitions(n - part, part))


def partitions_of_degree(n: int, degree: int) -> tuple[Partition, ...]:
    """The partitions of `n` with at most `degree` boxes below the first row.

    They are in the order of `partitions`.

    They name the irreps that occur in tensors of order `degree`.
    """
    boxes = range(min(degree, n - 1) + 1)
    return tuple((n - count, *rest) for count in boxes for rest in partitions(count, n - count))


def below(shape: Partition) -> list[Partition]:
    """The shapes with one box less, taken from the first row first.

    What the irrep holds when n stays fixed.
    """
    padded = (*shape, 0)
    corners = [row for row in range(len(shape)) if padded[row] > padded[row + 1]]
    return [_with_box(shape, row, -1) for row in corners]


def above(shape: Partition) -> list[Partition]:
    """The shapes with one box more, put into the first row first.

    What the irrep induces from S_n to S_(n+1).
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
    """The number of standard tableaux, n! over the product of all hook lengths.

    This is the formula of Frame, Robinson and Thrall.
    """
    columns = [sum(part > k for part in shape) for k in range(shape[0])]
    hooks = (part - k + columns[k] - row - 1 for row, part in enumerate(shape) for k in range(part))
    return factorial(sum(shape)) // prod(hooks)


@cache
def standard_tableaux(shape: Partition) -> Integers:
    """The standard tableaux (tableau, n) as the row in which each of the numbers 0..n-1 stands.

    In the order of the row of n - 1, then of n - 2, ...: the tableaux with n - 1 in one row follow
    each other in the order of the smaller shape, so that the irrep restricted to S_(n-1) is block
    diagonal.
    """
    n = sum(shape)
    if n == 0:
        return np.zeros((1, 0), dtype=np.int64)
    blocks = []
    for smaller in below(shape):
        row = next(
            row for row, part in enumerate(shape) if row == len(smaller) or smaller[row] != part
        )
        inner = standard_tableaux(smaller)
        blocks.append(np.concatenate([inner, np.full((len(inner), 1), row)], axis=1))
    tableaux = np.concatenate(blocks)
    tableaux.flags.writeable = False
    return tableaux


@cache
def kostka(shape: Partition, content: Partition) -> int:
    """The number of semistandard tableaux that hold k content[k] times.

    How often the Young module holds the irrep.

    The boxes of the last number form a horizontal strip; without it the tableau is one of a smaller
    shape.
    """
    if not content:
        return int(not shape)
    rest = sum(shape) - content[-1]
    lengths = product(
        *(range(low, high + 1) for low, high in zip((*shape[1:], 0), shape, strict=True))
    )
    inner = (tuple(part for part in rows if part) for rows in lengths if sum(rows) == rest)
    return sum(kostka(smaller, content[:-1]) for smaller in inner)


@cache
def character(shape: Partition, cycles: Partition) -> int:
    """The trace of the irrep at permutations with cycles of these lengths.

    Computed by the rule of Murnaghan and Nakayama.

    With the beads b_i = shape_i + (rows - 1 - i), to take off a rim hook is to move one bead down
    by its length to a free place; the sign counts the beads that it jumps over.
    """
    if not cycles:
        return int(not shape)
    beads = [part + len(shape) - 1 - row for row, part in enumerate(shape)]
    total = 0
    for bead in beads:
        target = bead - cycles[0]
        if target >= 0 and target not in beads:
            jumped = sum(target < other < bead for other in beads)
            moved = sorted({*beads, target} - {bead}, reverse=True)
            smaller = tuple(b - len(moved) + 1 + row for row, b in enumerate(moved))
            total += (-1) ** jumped * character(tuple(part for part in smaller if part), cycles[1:])
    return total


def class_size(cycles: Partition) -> int:
    """The number of permutations with cycles of these lengths."""
    repeats = (cycles.count(length) for length in set(cycles))
    return factorial(sum(cycles)) // (prod(cycles) * prod(factorial(count) for count in repeats))


def character_table(n: int) -> Integers:
    """The characters of S_n (irrep, class), both in the order of `partitions`."""
    return np.array(
        [[character(shape, cycles) for cycles in partitions(n)] for shape in partitions(n)]
    )
