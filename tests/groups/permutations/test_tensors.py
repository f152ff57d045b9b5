"""Equivariant maps between tensors over n points.

Counts of the literature, the solver, and sums written out.
"""

from itertools import permutations, product

import numpy as np
import pytest
import torch

from steerable.groups import GroupError, intertwiners
from steerable.groups.permutations.permutations import compose
from steerable.groups.permutations.symmetric import SymmetricGroup
from steerable.groups.permutations.tableaux import dimension
from steerable.groups.permutations.tensors import (
    TensorPower,
    pattern_weights,
    set_partitions,
    tensor_maps,
)

COUNTS = {
    (2, 2): {2: 8, 3: 14, 4: 15, 5: 15, 20: 15},
    (1, 2): {2: 4, 3: 5, 7: 5},
    (2, 1): {2: 4, 3: 5, 7: 5},
    (2, 0): {1: 1, 2: 2, 9: 2},
    (3, 3): {2: 32, 3: 122, 4: 187, 5: 202, 6: 203, 100: 203},
    (0, 2): {5: 2},
    (0, 1): {5: 1},
    (0, 0): {5: 1},
    (1, 1): {1: 1, 2: 2, 5: 2},
}
SYMMETRIES = ("none", "symmetric", "antisymmetric")


def draw(n, count=5, seed=0):
    return SymmetricGroup(n).sample(count, torch.Generator().manual_seed(seed)).numpy()


def test_set_partitions_are_counted_by_bell():
    assert [len(set_partitions(k)) for k in range(9)] == [1, 1, 2, 5, 15, 52, 203, 877, 4140]
    assert set_partitions(3).tolist() == [[0, 0, 0], [0, 0, 1], [0, 1, 0], [0, 1, 1], [0, 1, 2]]
    assert set_partitions(3, 2).tolist() == set_partitions(3).tolist()[:4]


@pytest.mark.parametrize("orders", COUNTS)
def test_numbers_of_maps(orders):
    for n, count in COUNTS[orders].items():
        patterns, weights = pattern_weights(n, *orders)
        assert len(weights) == count == len(patterns)
        left, right = (TensorPower(n, order).multiplicities() for order in orders)
        assert sum(times * right.get(shape, 0) for shape, times in left.items()) == count


def test_numbers_of_maps_are_averages_of_fixed_points():
    for n, count in [(3, 14), (4, 15), (5, 15)]:
        fixed = (SymmetricGroup(n).elements == np.arange(n)).sum(axis=1)
        assert (fixed**4).mean() == count


def test_irreps_of_tensors():
    assert TensorPower(7, 1).multiplicities() == {(7,): 1, (6, 1): 1}
    assert TensorPower(7, 2).multiplicities() == {(7,): 2, (6, 1): 3, (5, 2): 1, (5, 1, 1): 1}
    wanted = {
        (7,): 5,
        (6, 1): 10,
        (5, 2): 6,
        (5, 1, 1): 6,
        (4, 3): 1,
        (4, 2, 1): 2,
        (4, 1, 1, 1): 1,
    }
    assert TensorPower(7, 3).multiplicities() == wanted
    for n, order in product((1, 2, 3, 5), range(4)):
        counts = TensorPower(n, order).multiplicities()
        assert sum(times * dimension(shape) for shape, times in counts.items()) == n**order


@pytest.mark.parametrize(
    ("n", "k", "l"),
    [(1, 2, 2), (2, 2, 2), (3, 2, 2), (2, 3, 1), (3, 1, 2), (4, 2, 1), (3, 0, 2), (3, 2, 0)],
)
def test_the_basis_is_that_of_the_solver(n, k, l):
    np.testing.assert_allclose(
        tensor_maps(n, k, l), intertwiners(TensorPower(n, k), TensorPower(n, l)), atol=1e-14
    )


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_the_basis_spans_the_fifteen_operations(n):
    """Diagonals, sums, broadcasts.

    The coarser indicators span the same space, of rank 8, 14, 15, 15.
    """
    indices = np.indices((n,) * 4)
    operations = [
        np.all(
            [indices[a] == indices[b] for a, b in product(range(4), repeat=2) if way[a] == way[b]],
            axis=0,
        )
        for way in set_partitions(4)
    ]
    rows = np.array(operations, dtype=float).reshape(15, -1)
    assert np.linalg.matrix_rank(rows) == {2: 8, 3: 14}.get(n, 15)
    basis = tensor_maps(n, 2, 2).reshape(-1, n**4)
    np.testing.assert_allclose(basis @ basis.T, np.eye(len(basis)), atol=1e-14)
    np.testing.assert_allclose(rows @ basis.T @ basis, rows, atol=1e-12)


@pytest.mark.parametrize(("n", "k", "l"), [(4, 2, 2), (5, 1, 2), (3, 3, 2), (4, 3, 1)])
@pytest.mark.parametrize("inside", SYMMETRIES)
@pytest.mark.parametrize("outside", SYMMETRIES)
def test_maps_commute_and_keep_types(n, k, l, inside, outside):
    maps, s = tensor_maps(n, k, l, inside, outside), draw(n)
    a, b = TensorPower(n, l).matrices(s), TensorPower(n, k).matrices(s)
    np.testing.assert_allclose(
        np.einsum("gij,mjk->gmik", a, maps), np.einsum("mij,gjk->gmik", maps, b), atol=1e-15
    )
    flat = maps.reshape(len(maps), n ** (k + l))
    np.testing.assert_allclose(flat @ flat.T, np.eye(len(maps)), atol=1e-14)
    tensors = maps.reshape(len(maps), *(n,) * (l + k))
    for kind, slots, start in [(outside, l, 1), (inside, k, 1 + l)]:
        for order in permutations(range(slots)):
            axes = [*range(start), *(start + j for j in order), *range(start + slots, 1 + l + k)]
            sign = (
                round(np.linalg.det(np.eye(slots)[list(order)])) if kind == "antisymmetric" else 1
            )
            if kind != "none":
                np.testing.assert_allclose(tensors.transpose(axes), sign * tensors, atol=1e-15)


def test_typed_maps_are_all():
    """15 = 9 + 2 + 2 + 2; in general as many as the projection of all maps has rank."""
    counts = {
        (a, b): len(pattern_weights(6, 2, 2, a, b)[1]) for a, b in product(SYMMETRIES[1:], repeat=2)
    }
    assert counts == dict(zip(product(SYMMETRIES[1:], repeat=2), (9, 2, 2, 2), strict=True))
    n = 4
    swap = np.eye(n * n).reshape(n, n, n, n).transpose(1, 0, 2, 3).reshape(n * n, n * n)
    for (a, b), count in counts.items():
        inside, outside = (
            (np.eye(n * n) + sign * swap) / 2
            for sign in (1 if a == "symmetric" else -1, 1 if b == "symmetric" else -1)
        )
        projected = (outside @ tensor_maps(n, 2, 2) @ inside).reshape(15, -1)
        assert np.linalg.matrix_rank(projected) == count
        typed = tensor_maps(n, 2, 2, a, b).reshape(count, -1)
        np.testing.assert_allclose(projected @ typed.T @ typed, projected, atol=1e-14)


def test_six_maps_of_simple_graphs():
    """Maps linear in a symmetric A without diagonal and in features X.

    Patterns of (out, a, b, in) with a != b.
    """
    patterns = [tuple(way) for way in set_partitions(4).tolist() if way[1] != way[2]]
    assert len(patterns) == 10

    def renumbered(way):
        return tuple({x: k for k, x in enumerate(dict.fromkeys(way))}[x] for x in way)

    assert len({min(way, renumbered((way[0], way[2], way[1], way[3]))) for way in patterns}) == 6


def test_tensor_powers_are_representations():
    for n, order in [(3, 0), (3, 1), (2, 3), (4, 2)]:
        power, s, t = TensorPower(n, order), draw(n), draw(n, seed=1)
        np.testing.assert_array_equal(
            power.matrices(s) @ power.matrices(t), power.matrices(compose(s, t))
        )
    x = np.random.default_rng(0).normal(size=(4, 4))
    (s,) = draw(4, 1)
    moved = (TensorPower(4, 2).matrices(s[None])[0] @ x.ravel()).reshape(4, 4)
    np.testing.assert_array_equal(moved[s][:, s], x)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (
            lambda: pattern_weights(5, 5, 4),
            r"up to 8 indices in all \(4,140 patterns of equality\); got 9",
        ),
        (
            lambda: tensor_maps(10, 3, 3),
            r"R\^\(10\^3\) -> R\^\(10\^3\) has 203 x 10\^6 = 203000000 entries; at most 33554432",
        ),
        (lambda: pattern_weights(0, 1, 1), "at least one point; got n = 0"),
        (lambda: tensor_maps(3, 1, -2), "got -1"),
        (lambda: tensor_maps(3, 2, 2, "odd"), "one of none, symmetric, antisymmetric; got 'odd'"),
    ],
)
def test_errors(wrong, text):
    with pytest.raises(GroupError, match=text):
        wrong()
