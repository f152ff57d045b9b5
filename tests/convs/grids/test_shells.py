"""Sums over shells: the plain sums over all points that they stand for."""

import pytest
import torch

from steerable.convs.grids.shells import Shells, for_samples
from steerable.filters import HarmonicFilter, ImplicitFilter
from steerable.groups import O2, O3, SO2, cyclic

DOUBLE = torch.float64


@pytest.mark.parametrize("samples", [0, 3])
@pytest.mark.parametrize("group", [O2(), O3(), SO2(), cyclic(4)], ids=str)
def test_values_are_the_sums_over_all_points(group, samples):
    attributes = "2x0" if group in (SO2(), cyclic(4)) else "2x0e"
    filter = HarmonicFilter(2, 2.0, 3, attributes if samples else "", group=group).double()
    axis = torch.arange(-3, 4, dtype=DOUBLE) / 2
    points = torch.cartesian_prod(*[axis] * group.dim)
    points = points[points.norm(dim=1) < 1.9]
    weights = torch.randn(5, len(points), dtype=DOUBLE)
    shells = Shells(points, filter.harmonics(points), weights).double()
    radii = points.norm(dim=1).mul(1e6).round().unique()
    assert len(shells._radii) == len(radii) < len(points) / 4  # each distance is seen once
    rows = torch.randn(samples, 2, dtype=DOUBLE) if samples else None
    result = shells(filter, rows)
    assert result.shape == (max(samples, 1), 5, 3, filter.field.dim)
    for k, values in enumerate(result):
        at_points = None if rows is None else rows[[k]].expand(len(points), -1)
        h = filter(points, at_points)
        wanted = torch.einsum("oz,zkm->okm", weights, h)
        torch.testing.assert_close(values, wanted, atol=1e-12, rtol=0)


def test_every_sample_sees_its_own_attributes():
    filter = ImplicitFilter("0e+1o", 2.0, "1x1o", channels=2, hidden=2).double()
    points, rows = torch.randn(4, 3, dtype=DOUBLE), torch.randn(3, 3, dtype=DOUBLE)
    result = for_samples(filter, points, rows)
    for k in range(3):
        for z in range(4):
            wanted = filter(points[[z]], rows[[k]])[0]
            torch.testing.assert_close(result[k, z], wanted, atol=1e-13, rtol=0)
    assert for_samples(filter, points, rows[:0]).shape[0] == 0
