"""Down-sampling: sums over offsets by hand, its symmetry, and bad input."""

import itertools
import math

import pytest
import torch

from convs.grids.test_grid_conv import symmetry_error
from steerable import Field, FieldMismatchError
from steerable.convs.grids.downsample import Downsample
from steerable.convs.grids.window import StrideWarning
from steerable.groups import O2, SO2, irreps, point_group

DOUBLE = torch.float64


@pytest.mark.parametrize("group", [O2(), point_group("Oh")], ids=str)
@pytest.mark.parametrize("stride", [2, 3])
def test_downsample(group, stride):
    field = Field(group, tuple((1, irrep) for irrep in irreps(group, 1)))
    down = Downsample(field, stride).double()
    width = 2 * stride + 1
    x = torch.randn(2, field.dim, *[width] * group.dim, dtype=DOUBLE)
    y = down(x)
    assert y.shape[2:] == (3,) * group.dim and not down.state_dict()
    assert symmetry_error(down, field, field, x) < 1e-12
    torch.testing.assert_close(down(torch.ones_like(x)), torch.ones_like(y))
    reach = math.ceil(1.5 * stride)
    padded = torch.nn.functional.pad(x, [reach] * 2 * group.dim, "replicate")
    wanted, total = torch.zeros_like(y), 0.0
    for offset in itertools.product(range(-reach, reach + 1), repeat=group.dim):
        weight = math.exp(-sum(o * o for o in offset) / (2 * (stride / 2) ** 2))
        window = [slice(reach + o, reach + o + width, stride) for o in offset]
        wanted, total = wanted + weight * padded[(..., *window)], total + weight
    torch.testing.assert_close(y, wanted / total, atol=1e-12, rtol=0)
    assert down(x[:0]).shape[0] == 0
    with pytest.warns(StrideWarning, match=f"Downsample: a stride of {stride}"):
        down(x[..., 1:])


def test_waves_shrink_as_the_gaussian_says():
    """On a circle a wave is an eigenvector: its factor is the sum of the weights times cosines."""
    stride, smoothing, width = 2, 0.7, 24
    down = Downsample("1x0", stride, smoothing, "circular", SO2()).double()
    reach = torch.arange(-5, 6, dtype=DOUBLE)
    weight = torch.exp(-reach.square() / (2 * (smoothing * stride) ** 2))
    for k in (0, 1, 5, 12):
        phase = math.tau * k * torch.arange(width, dtype=DOUBLE) / width
        wave = torch.cos(phase)[:, None].expand(width, width)
        factor = (weight * torch.cos(math.tau * k * reach / width)).sum() / weight.sum()
        found = down(wave[None, None])[0, 0]
        torch.testing.assert_close(found, factor * wave[::2, ::2], atol=1e-12, rtol=0)


def test_bad_input():
    for smoothing in (0, -1, math.inf, math.nan):
        with pytest.raises(ValueError, match=f"smoothing is a positive number .*got {smoothing}"):
            Downsample("1x0e", smoothing=smoothing)
    with pytest.raises(ValueError, match="stride is one whole number of at least 1.*got 0"):
        Downsample("1x0e", 0)
    with pytest.raises(FieldMismatchError, match=r"Downsample expects arrays .*got \(1, 2, 5, 5\)"):
        Downsample("1x0", group=SO2())(torch.zeros(1, 2, 5, 5))
