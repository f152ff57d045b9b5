"""All pairs of the points of a graph at once, against loops."""

import math

import numpy as np
import pytest
import torch

from steerable.ops.neighbours import dense as DENSE


@pytest.fixture
def everywhere(monkeypatch):
    """All pairs are compared on a CPU too."""
    monkeypatch.setattr(DENSE, "_compares_all", lambda pos: True)


def cloud(count=40, dim=3):
    return torch.from_numpy(np.random.default_rng(count).uniform(-1.5, 1.5, size=(count, dim)))


def test_all_pairs_are_compared_up_to_a_bound(everywhere, monkeypatch):
    pos, target = cloud(), cloud(15)
    compared = DENSE.all_pairs(pos, target, None, None)
    assert compared.distance.shape == (1, 15, 40)
    monkeypatch.setattr(DENSE, "_DENSE_PAIRS", 15 * 40 - 1)
    assert DENSE.all_pairs(pos, target, None, None) is None


def test_a_cpu_searches_by_the_tree():
    assert DENSE.all_pairs(cloud(), cloud(), None, None) is None


def test_distances_within_the_graphs_that_both_sets_have(everywhere):
    """Graphs of different sizes in any order; graph 1 has no source and graph 7 no target."""
    source, target = cloud(9), cloud(6)
    batch_source = torch.tensor([3, 0, 3, 7, 0, 3, 0, 3, 7])
    batch_target = torch.tensor([1, 3, 0, 3, 1, 0])
    pairs = DENSE.all_pairs(source, target, batch_source, batch_target)
    assert pairs.distance.shape == (2, 2, 4)
    graph, i, j = torch.nonzero(pairs.distance < math.inf, as_tuple=True)
    edge_index = pairs.edges(graph, i, j)
    expected = [[a, b] for b in range(6) for a in range(9) if batch_source[a] == batch_target[b]]
    assert edge_index.T.tolist() == expected
    lengths = pairs.distance[graph, i, j]
    offset = source[pairs.sources[graph, j]] - target[pairs.targets[graph, i]]
    torch.testing.assert_close(lengths, offset.square().sum(1).sqrt())
