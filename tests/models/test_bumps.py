"""Signals of bumps on the sphere: their values by formula, and which turns are claimed."""

import pytest
import torch
from torch import nn

from models.test_sphere_net import small
from steerable.certify import certify
from steerable.functions import SphereGrid, SphereTransform
from steerable.models.bumps import Bumps, bumps_claim

DOUBLE = torch.float64


def transform_of(degree, longitudes=None):
    rings = degree + 1
    grid = SphereGrid("gauss", rings, longitudes or 2 * rings)
    return SphereTransform(degree, grid).double()


def test_samples_are_bumps_in_the_directions_from_the_centroid():
    """exp(10 (cos angle - 1)), summed over the points of a signal."""
    transform = transform_of(30)
    pos, batch = torch.randn(7, 3, dtype=DOUBLE), torch.tensor([0, 1, 1, 0, 2, 1, 2])
    result = Bumps(nn.Identity(), transform)(pos, batch)
    points = SphereGrid("gauss", 31, 62).points()
    for k in range(3):
        places = pos[batch == k] - pos[batch == k].mean(0)
        cosine = points @ torch.nn.functional.normalize(places, dim=1).T
        wanted = torch.exp(10 * (cosine - 1)).sum(-1)
        torch.testing.assert_close(result[k], wanted, atol=1e-10, rtol=0)
    moved = Bumps(nn.Identity(), transform)(pos + torch.randn(3), batch)
    torch.testing.assert_close(moved, result, atol=1e-10, rtol=0)


class Rings(nn.Module):
    """Means over the rings, which turns about the pole keep, and a part that they change."""

    def __init__(self, broken=0.0):
        super().__init__()
        self.broken = broken

    def forward(self, samples):
        return samples.mean(2) ** 2 + self.broken * samples[:, :, 0]


@pytest.mark.parametrize("longitudes", [16, 18])
def test_turns_by_a_longitude_are_claimed_and_certified(longitudes):
    transform = transform_of(7, longitudes)
    claim = bumps_claim(Rings(), transform)
    assert claim.group.order == longitudes
    assert certify(*claim, elements=5, dtype=torch.float64).passed
    broken = bumps_claim(Rings(0.1), transform)
    assert not certify(*broken, elements=5, dtype=torch.float64).passed


def test_the_grids_of_all_activations_are_kept():
    model = small().eval()
    claim = bumps_claim(model, model.transform)
    grids = [layer.transform.shape[1] for layer in model.modules() if hasattr(layer, "knots")]
    assert all(longitudes % claim.group.order == 0 for longitudes in grids)
    assert certify(*claim, elements=5, dtype=torch.float64).passed
