"""The cell list in PyTorch against all distances."""

import numpy as np
import pytest
import torch

from steerable.ops.neighbours import bins as BINS

GRAPHS = torch.from_numpy(np.random.default_rng(1).integers(0, 3, 60))


def cloud(count, dim, seed, width=4.0):
    rng = np.random.default_rng([count, dim, seed])
    return torch.from_numpy(rng.uniform(-width, width, size=(count, dim)))


def edges(close):
    return sorted(zip(close.source.tolist(), close.target.tolist(), strict=True))


@pytest.mark.parametrize("dim", [1, 2, 3, 4])
@pytest.mark.parametrize("reach", [0.05, 0.9, 30.0])
@pytest.mark.parametrize("candidates", [7, 2**24])
def test_pairs_are_those_within_reach(dim, reach, candidates, monkeypatch):
    monkeypatch.setattr(BINS, "_CANDIDATES", candidates)
    source, target = cloud(60, dim, 0), cloud(25, dim, 1)
    distance = (source[:, None] - target).norm(dim=-1)
    for batches in ((None, None), (GRAPHS, GRAPHS[:25])):
        within = distance <= reach
        if batches[0] is not None:
            within &= batches[0][:, None] == batches[1]
        close = BINS.binned_pairs(source, target, *batches, reach)
        assert edges(close) == [tuple(pair) for pair in torch.nonzero(within).tolist()]
        torch.testing.assert_close(close.distance, distance[close.source, close.target])


def test_points_far_apart_have_no_more_boxes_than_fit():
    pos = torch.cat([cloud(20, 3, 0), cloud(20, 3, 0) + 1e15])
    close = BINS.binned_pairs(pos, pos, None, None, 1e-3)
    assert edges(close)[:3] == [(0, 0), (1, 1), (2, 2)] and len(close.source) >= 40


@pytest.mark.parametrize("counts", [(0, 4), (4, 0), (0, 0)])
def test_no_points(counts):
    source, target = [cloud(count, 3, 0) for count in counts]
    assert [len(column) for column in BINS.binned_pairs(source, target, None, None, 1.0)] == [0] * 3
