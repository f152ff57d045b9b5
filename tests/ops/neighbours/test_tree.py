"""The search by a tree against sorted distances, and graphs out of each other's reach."""

import numpy as np
import pytest
import torch

from steerable.ops.neighbours.tree import build_tree, lifted, nearest_in_tree, search_radius

BATCH = torch.tensor([2, 0, 2, 0, 0, 5])


def draw(count, dim=3, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(count, dim)))


def test_the_search_ends_below_the_cutoff_and_beyond_every_distance():
    source, target = draw(5), draw(7, seed=1)
    assert search_radius(source, target, 0.5) == np.nextafter(0.5, 0)
    assert search_radius(source, target) > torch.cdist(source, target).max()
    assert search_radius(source[:0], target[:0]) > 0
    assert search_radius(source[:1], source[:1]) > 0


def test_graphs_are_out_of_reach():
    pos = draw(6)
    reach = search_radius(pos, pos)
    points = torch.from_numpy(lifted(pos, BATCH, reach))
    same = BATCH[:, None] == BATCH
    between = torch.cdist(points, points)
    torch.testing.assert_close(between[same], torch.cdist(pos, pos)[same])
    assert between[~same].min() > reach


@pytest.mark.parametrize("k", [1, 4, 9])
@pytest.mark.parametrize("width", [1, 6, 30])
def test_the_nearest_are_those_of_a_sort(k, width):
    """On a lattice many are equally near: the first count."""
    pos = torch.cartesian_prod(*[torch.arange(3.0).double()] * 2)
    tree, reach = build_tree(pos, None, 10.0), 10.0
    indices = nearest_in_tree(tree, lifted(pos, None, reach), k, max(width, k + 1), reach)
    for row, distances in zip(indices, torch.cdist(pos, pos).tolist(), strict=True):
        order = sorted(range(9), key=lambda j, d=distances: (round(d[j], 9), j))
        assert sorted(row) == sorted(order[:k])


def test_missing_neighbours_have_the_number_of_points():
    pos = draw(6)
    reach = search_radius(pos, pos)
    tree = build_tree(pos, BATCH, reach)
    indices = nearest_in_tree(tree, lifted(pos, BATCH, reach), 3, 4, reach)
    assert (indices < tree.n).sum(1).tolist() == [2, 3, 2, 3, 3, 1]
