"""The order of edges against that of Python."""

import numpy as np
import torch

from steerable.ops.neighbours.pairs import sorted_pairs


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
