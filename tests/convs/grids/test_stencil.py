"""Filters on grids: smoothed over fine points by hand, and summed beforehand."""

import copy
import itertools
import math
import pickle

import pytest
import torch

from convs.grids.test_grid_conv import conv_of
from steerable.convs.grids.grid_conv import GridConv2d
from steerable.convs.grids.stencil import Stencil
from steerable.filters.derivative import StencilFilter
from steerable.filters.harmonic import HarmonicFilter
from steerable.filters.joint import JointFilter
from steerable.groups import O2, O3, SO2

DOUBLE = torch.float64


@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize(("group", "finer"), [(O2(), 6), (O3(), 4)], ids=str)
def test_the_stencil_is_the_smoothed_filter(group, finer, prepared):
    """The Gaussian sum over fine points of the ball, point by point, and the polynomial mask."""
    filter = HarmonicFilter(2, 2.5, channels=2, group=group).double()
    size, step, smoothing = 3, 0.5, 0.7
    stencil = Stencil(group.dim, size, step, smoothing)
    if prepared:
        stencil.prepare(filter)
    found = stencil.double()(filter)[0]
    fine = torch.cartesian_prod(
        *[torch.arange(-2 * finer, 2 * finer + 1, dtype=DOUBLE) / finer] * group.dim
    )
    fine = fine[fine.norm(dim=1) < 2]
    h = filter(fine * step)
    for k, offset in enumerate(itertools.product((-1, 0, 1), repeat=group.dim)):
        o = torch.tensor(offset, dtype=DOUBLE)
        weight = torch.exp(-(fine - o).square().sum(1) / (2 * smoothing**2))
        weight /= (math.tau**0.5 * smoothing * finer) ** group.dim
        u = o.norm() / 2
        mask = 1 - 28 * u**6 + 48 * u**7 - 21 * u**8
        torch.testing.assert_close(
            found[k], mask * torch.einsum("z,zkm->km", weight, h), atol=1e-13, rtol=0
        )


def test_sums_made_beforehand_are_the_filters_own():
    """In copies, for every sample, and joined to derivatives.

    And never where the harmonics are learned.
    """

    class Learned(HarmonicFilter):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            self.scale = torch.nn.Parameter(torch.tensor(2.0))

        def harmonics(self, offset):
            return super().harmonics(offset) * self.scale

    torch.manual_seed(0)
    conv = conv_of(SO2(), attributes="2x0")
    attributes = torch.randn(3, 2, dtype=DOUBLE)
    for known in (conv, copy.deepcopy(conv), pickle.loads(pickle.dumps(conv))):
        assert known.stencil._prepared == [known.filter]
        with torch.no_grad():
            known.filter.phi[0].weight.mul_(1.5)
        found = known.stencil(known.filter, attributes)
        known.stencil._prepared = [None]
        torch.testing.assert_close(
            found, known.stencil(known.filter, attributes), atol=1e-13, rtol=0
        )
    filters = (
        StencilFilter(2, 5, group=SO2()),
        HarmonicFilter(1, 3.0, group=SO2()),
        Learned(1, 3.0, group=SO2()),
    )
    joint = GridConv2d("1x0", "1x0+1x1", JointFilter(filters), 5)
    assert joint.stencil._prepared == [filters[1]]


@pytest.mark.parametrize("group", [O2(), O3()], ids=str)
def test_without_smoothing_the_values_are_those_of_the_filter(group):
    filter = HarmonicFilter(2, 3.0, channels=2, group=group).double()
    found = Stencil(group.dim, 3, 0.5, 0.0).double()(filter)[0]
    for k, offset in enumerate(itertools.product((-0.5, 0, 0.5), repeat=group.dim)):
        wanted = filter(torch.tensor([offset], dtype=DOUBLE))[0]
        torch.testing.assert_close(found[k], wanted, atol=1e-14, rtol=0)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((2, 4, 1.0, 0.5), "kernel_size is odd.*got 4. Choose 3 or 5"),
        ((2, 0, 1.0, 0.5), "kernel_size is odd.*got 0. Choose 1 or 1"),
        ((2, 3, 0.0, 0.5), "spacing of a grid is positive and finite; got 0"),
        ((2, 3, math.inf, 0.5), "spacing of a grid is positive and finite; got inf"),
        ((2, 3, 1.0, -1), "smoothing is 0 or a positive number.*got -1"),
        ((2, 3, 1.0, math.nan), "smoothing is 0 or a positive number.*got nan"),
    ],
)
def test_errors(arguments, text):
    with pytest.raises(ValueError, match=text):
        Stencil(*arguments)
