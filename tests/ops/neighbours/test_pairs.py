"""The order of edges against that of Python."""

import numpy as np
import pytest
import torch

from steerable.ops.neighbours.pairs import both_ways, sorted_pairs


def test_pairs_are_sorted_by_target_then_source():
    """Numbers above 2^31 are no negative ones, and pairs that occur twice stay."""
    rng = np.random.default_rng(0)
    values = np.array([0, 1, 7, 2**31 - 1, 2**31 - 2])
    source, target = values[rng.integers(0, 5, 60)], values[rng.integers(0, 5, 60)]
    edge_index = sorted_pairs(torch.from_numpy(source), torch.from_numpy(target))
    expected = sorted(zip(target.tolist(), source.tolist(), strict=True))
    assert edge_index.T.flip(1).tolist() == [list(pair) for pair in expected]


def test_no_pairs():
    nothing = torch.zeros(0, dtype=torch.long)
    assert sorted_pairs(nothing, nothing).shape == (2, 0)


@pytest.mark.parametrize("nodes", [50, 2**40])
def test_pairs_from_both_ends_are_sorted_by_target_then_source_then_shift(nodes):
    """So many nodes that an edge does not fit into one number are sorted column by column."""
    rng = np.random.default_rng(0)
    source, target = rng.integers(0, 50, (2, 200)) * (nodes // 50)
    shift = rng.integers(-9, 6, (200, 3))
    edges = []
    for s, t, row in zip(source.tolist(), target.tolist(), shift.tolist(), strict=True):
        edges += [[t, s, *row], [s, t, *[-n for n in row]]]
    edge_index, shifts = both_ways(*[torch.from_numpy(a) for a in (source, target, shift)], nodes)
    assert torch.cat([edge_index.flip(0).T, shifts], 1).tolist() == sorted(edges)
