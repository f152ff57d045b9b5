"""The list of few points is that of the tree to the last bit, at the radius too."""

import numpy as np
import pytest
import torch

from steerable.ops import radius_graph
from steerable.ops.neighbours import direct as DIRECT


def test_few_points_on_a_cpu_are_compared_directly():
    assert DIRECT.is_few(torch.zeros(DIRECT._FEW_POINTS, 3))
    assert not DIRECT.is_few(torch.zeros(DIRECT._FEW_POINTS + 1, 3))
    assert not DIRECT.is_few(torch.zeros(1, 3, device="meta"))


@pytest.mark.parametrize("dim", [1, 2, 3, 5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_pairs_at_the_radius_are_those_of_the_tree(dim, dtype, monkeypatch):
    """Every distance is taken as the cutoff once, and the next number on both sides."""
    rng = np.random.default_rng(dim)
    pos = torch.from_numpy(rng.normal(size=(12, dim))).to(dtype)
    batch = torch.from_numpy(rng.integers(0, 2, 12))
    distances = torch.pdist(pos.double()).tolist()
    assert len(distances) == 66
    for distance in distances:
        for cutoff in (np.nextafter(distance, 0), distance, np.nextafter(distance, 9)):
            direct = radius_graph(pos, float(cutoff), batch)
            with monkeypatch.context() as patch:
                patch.setattr(DIRECT, "_FEW_POINTS", -1)
                assert direct.equal(radius_graph(pos, float(cutoff), batch))


def test_coordinates_whose_squares_overflow():
    pos = torch.tensor([[0.0, 0, 0], [1e200, 0, 0], [3e200, 0, 0]], dtype=torch.float64)
    assert radius_graph(pos, 1.0).shape == (2, 0)
