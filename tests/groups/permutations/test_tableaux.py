"""Partitions, tableaux, Kostka numbers and characters against counting and printed tables."""

from itertools import permutations, product
from math import factorial

import numpy as np
import pytest

from oracles.permutations import class_size
from steerable.groups import GroupError
from steerable.groups.permutations.tableaux import (
    above,
    as_partition,
    below,
    character,
    character_table,
    dimension,
    kostka,
    partitions,
    partitions_of_degree,
    standard_tableaux,
)


def fillings(shape, numbers):
    """All tableaux of a shape with these numbers, by trying every order.

    Rows ascend weakly and columns strictly.
    """
    boxes = [(row, column) for row, length in enumerate(shape) for column in range(length)]
    found = set()
    for order in set(permutations(numbers)):
        at = dict(zip(boxes, order, strict=True))
        rows = all(at[r, c] <= at[r, c + 1] for r, c in boxes if (r, c + 1) in at)
        if rows and all(at[r, c] < at[r + 1, c] for r, c in boxes if (r + 1, c) in at):
            found.add(order)
    return found


def test_partitions_are_all_and_in_order():
    assert [len(partitions(n)) for n in range(11)] == [1, 1, 2, 3, 5, 7, 11, 15, 22, 30, 42]
    assert partitions(4) == ((4,), (3, 1), (2, 2), (2, 1, 1), (1, 1, 1, 1))
    for n in range(1, 8):
        assert list(partitions(n)) == sorted(partitions(n), reverse=True)
        for degree in range(n + 1):
            wanted = tuple(shape for shape in partitions(n) if n - shape[0] <= degree)
            assert partitions_of_degree(n, degree) == wanted


def test_largest_irreps_and_the_sum_of_squares():
    for n, count, largest in [
        (4, 5, 3),
        (5, 7, 6),
        (6, 11, 16),
        (7, 15, 35),
        (8, 22, 90),
        (9, 30, 216),
        (10, 42, 768),
    ]:
        dims = [dimension(shape) for shape in partitions(n)]
        assert (len(dims), max(dims), sum(d * d for d in dims)) == (count, largest, factorial(n))


@pytest.mark.parametrize("shape", [shape for n in range(1, 7) for shape in partitions(n)])
def test_standard_tableaux(shape):
    """As many as tried out.

    Those with the last number in one row follow each other, as the smaller shape has them.
    """
    n, rows = sum(shape), standard_tableaux(shape)
    assert len(rows) == dimension(shape) == len(fillings(shape, range(n)))
    assert (np.sort(rows, axis=1) == np.repeat(np.arange(len(shape)), shape)).all()
    heights = (rows[:, :, None] == np.arange(len(shape))).cumsum(axis=1)
    assert (np.diff(heights, axis=2) <= 0).all()
    np.testing.assert_array_equal(
        rows[:, :-1], np.concatenate([standard_tableaux(smaller) for smaller in below(shape)])
    )
    assert (np.diff(rows[:, -1]) >= 0).all()


def test_branching_is_mutual():
    for n in range(1, 9):
        for shape in partitions(n):
            assert above(shape) == [
                larger for larger in partitions(n + 1) if shape in below(larger)
            ]
            assert sum(dimension(larger) for larger in above(shape)) == (n + 1) * dimension(shape)


def test_kostka_numbers():
    table = [[kostka(shape, content) for content in partitions(4)] for shape in partitions(4)]
    assert table == [
        [1, 1, 1, 1, 1],
        [0, 1, 1, 2, 3],
        [0, 0, 1, 1, 2],
        [0, 0, 0, 1, 3],
        [0, 0, 0, 0, 1],
    ]
    for shape, content in product(partitions(6), partitions(6)):
        numbers = [k for k, times in enumerate(content) for _ in range(times)]
        if content[0] > 1 and len(content) > 1:
            assert kostka(shape, content) == len(fillings(shape, numbers)), (shape, content)


def test_characters_of_s4_are_those_of_the_books():
    """Rows as `partitions`; columns 4-cycles, 3-cycles, two exchanges, one exchange, identity."""
    wanted = [
        [1, 1, 1, 1, 1],
        [-1, 0, -1, 1, 3],
        [0, -1, 2, 0, 2],
        [1, 0, -1, -1, 3],
        [-1, 1, 1, -1, 1],
    ]
    np.testing.assert_array_equal(character_table(4), wanted)


@pytest.mark.parametrize("n", [5, 6, 8, 10])
def test_characters_are_orthogonal(n):
    table, sizes = character_table(n), np.array([class_size(cycles) for cycles in partitions(n)])
    assert sizes.sum() == factorial(n)
    np.testing.assert_array_equal((table * sizes) @ table.T, factorial(n) * np.eye(len(table)))
    np.testing.assert_array_equal(table[:, -1], [dimension(shape) for shape in partitions(n)])


def test_characters_count_fixed_words():
    """The sum over irreps of Kostka numbers times characters.

    It is the number of words that a permutation keeps.
    """
    for content, cycles, kept in [
        ((2, 2), (2, 2), 2),
        ((2, 2), (2, 1, 1), 2),
        ((3, 2), (2, 2, 1), 2),
        ((3, 2), (5,), 0),
    ]:
        n = sum(content)
        assert (
            sum(kostka(shape, content) * character(shape, cycles) for shape in partitions(n))
            == kept
        )


@pytest.mark.parametrize("wrong", [(), (1, 2), (2, 0), (2, -1), (1.5, 1), "21", (True, "a")])
def test_what_is_no_partition(wrong):
    with pytest.raises(
        GroupError, match="is no partition: write whole numbers from the largest down"
    ):
        as_partition(wrong)


def test_a_partition_of_another_number():
    with pytest.raises(
        GroupError, match=r"\(3, 1\) is a partition of 4; a partition of 5 is wanted"
    ):
        as_partition((3, 1), 5)
