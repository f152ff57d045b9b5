"""Young's orthogonal form against matrices of books, characters and products."""

from itertools import pairwise

import numpy as np
import pytest

from steerable.groups.permutations.permutations import (
    compose,
    cycle_types,
    inverse,
    permutation_matrices,
)
from steerable.groups.permutations.tableaux import below, character, dimension, partitions
from steerable.groups.permutations.young import adjacent, orthogonal_form


def exchange(k, n):
    """The exchange of the neighbours k and k + 1 among n points."""
    return [*range(k), k + 1, k, *range(k + 2, n)]


def exchanges(n):
    """All of them (exchange, n)."""
    return np.array([exchange(k, n) for k in range(n - 1)])


@pytest.fixture
def drawn():
    """Random permutations (count, n)."""
    random = np.random.default_rng(0)
    return lambda n, count=20: random.permuted(np.tile(np.arange(n), (count, 1)), axis=1)


def test_two_one():
    root = np.sqrt(3) / 2
    first, second = orthogonal_form((2, 1), exchanges(3))
    np.testing.assert_allclose(first, np.diag([-1, 1]), atol=1e-15)
    np.testing.assert_allclose(second, [[0.5, root], [root, -0.5]], atol=1e-15)


def test_three_one_and_two_two():
    third = orthogonal_form((3, 1), exchanges(4))[2]
    root = 2 * np.sqrt(2) / 3
    np.testing.assert_allclose(third, [[1, 0, 0], [0, 1 / 3, root], [0, root, -1 / 3]], atol=1e-15)
    square = orthogonal_form((2, 2), exchanges(4))
    np.testing.assert_allclose(square[2], square[0], atol=1e-15)


@pytest.mark.parametrize("n", range(1, 9))
def test_the_orthogonal_form_is_a_representation(n, drawn):
    s, t = drawn(n, 6), drawn(n, 6)
    for shape in partitions(n):
        a, b = orthogonal_form(shape, s), orthogonal_form(shape, t)
        both = orthogonal_form(shape, compose(s, t))
        np.testing.assert_allclose(a @ b, both, atol=5e-15)
        np.testing.assert_allclose(
            a.transpose(0, 2, 1), orthogonal_form(shape, inverse(s)), atol=5e-15
        )
        traces = np.trace(a, axis1=1, axis2=2)
        np.testing.assert_allclose(
            traces, [character(shape, cycles) for cycles in cycle_types(s)], atol=1e-13
        )


@pytest.mark.parametrize("n", [2, 5, 7])
def test_the_restriction_is_block_diagonal(n, drawn):
    s = drawn(n - 1, 5)
    fixing = np.concatenate([s, np.full((5, 1), n - 1)], axis=1)
    for shape in partitions(n):
        whole, start = orthogonal_form(shape, fixing), 0
        for smaller in below(shape):
            end = start + dimension(smaller)
            np.testing.assert_allclose(
                whole[:, start:end, start:end], orthogonal_form(smaller, s), atol=1e-14
            )
            whole[:, start:end, start:end] = 0
            start = end
        assert not whole.any()


def test_the_trivial_and_the_sign(drawn):
    s = drawn(6)
    signs = np.linalg.det(permutation_matrices(s))
    np.testing.assert_allclose(orthogonal_form((1,) * 6, s)[:, 0, 0], signs, atol=1e-14)
    assert (orthogonal_form((6,), s) == 1).all() and orthogonal_form((3, 2, 1), s[:0]).shape == (
        0,
        16,
        16,
    )


@pytest.mark.parametrize("shape", [(2, 1), (3, 1, 1), (3, 2), (2, 2, 1)])
def test_exchanges_of_neighbours_are_involutions_that_braid(shape):
    """s_k^2 = 1, and s_k s_(k+1) s_k = s_(k+1) s_k s_(k+1); sparse as they are stored."""
    neighbours, size = adjacent(shape), dimension(shape)
    matrices = [neighbours.times(k, np.eye(size)) for k in range(sum(shape) - 1)]
    for a, b in pairwise(matrices):
        np.testing.assert_allclose(a @ a, np.eye(size), atol=1e-14)
        np.testing.assert_allclose(a @ b @ a, b @ a @ b, atol=1e-14)
        np.testing.assert_allclose(a, a.T, atol=1e-14)
    np.testing.assert_allclose(matrices, orthogonal_form(shape, exchanges(sum(shape))), atol=1e-14)
