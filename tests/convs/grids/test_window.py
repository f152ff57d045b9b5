"""Kernels over arrays: paddings as numpy makes them, and strides off centre by brute force."""

import warnings

import numpy as np
import pytest
import torch

from steerable import Field, FieldMismatchError
from steerable.convs.grids.window import PADDING_MODES, StrideWarning, Window, check_array
from steerable.groups import O2, O3, point_group, trivial

IN_NUMPY = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("mode", PADDING_MODES)
def test_padding_is_that_of_numpy(mode, dim):
    x = torch.randn(2, 3, *[4] * dim, dtype=torch.float64)
    for window in (Window(5, 1, "same", 1, mode), Window(3, 2, 1, 2, mode)):
        padded, zeros = window.pad(x)
        whole = torch.nn.functional.pad(padded, [zeros] * 2 * dim)
        widths = [(0, 0)] * 2 + [(window.margin, window.margin)] * dim
        np.testing.assert_array_equal(whole, np.pad(x, widths, IN_NUMPY[mode]))
    x = torch.randn(1, 1, *[4] * dim)
    assert Window(3, 1, 0, 1, mode).pad(x) == (x, 0)


@pytest.mark.parametrize("padding", ["same", 0, 1])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("stride", [2, 3])
@pytest.mark.parametrize("size", [1, 3, 5])
def test_strides_warn_where_samples_do_not_lie_about_the_centre(size, stride, dilation, padding):
    """The places of a kernel's centre along an axis, written out, and their mean."""
    window, field = Window(size, stride, padding, dilation, "zeros"), Field.parse("1x0e", O2())
    reach = dilation * (size // 2)
    for width in range(9, 15):
        first, last = reach - window.margin, width - 1 + window.margin - reach
        places = range(first, last + 1, stride)
        centred = places[0] + places[-1] == width - 1
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            window.warn_off_centre("Layer", field, torch.zeros(1, 1, width, width))
        assert bool(caught) != centred, (width, list(places))
        if caught:  # the widths that it names are centred
            named = str(caught[0].message).rsplit("such as ", 1)[1].rstrip(".").split(" or ")
            for other in map(int, named):
                window.warn_off_centre("Layer", field, torch.zeros(1, 1, other, other))


def test_strides_warn_only_on_axes_that_the_group_moves():
    for group, moved_axes in (
        (trivial(2), ()),
        (point_group("C4"), (0, 1)),
        (point_group("D4"), (0, 1, 2)),
    ):
        window, field = Window(3, 2, "same", 1, "zeros"), Field.parse("", group)
        for axis in range(group.dim):
            shape = [7] * group.dim
            shape[axis] = 6
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                window.warn_off_centre("Layer", field, torch.zeros(1, 0, *shape))
            assert [w.category for w in caught] == [StrideWarning] * (axis in moved_axes)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            (3, 1, 0, 1, "wrap"),
            "padding_mode is one of zeros, reflect, .*; got 'wrap'",
        ),
        ((3, 0, 0, 1, "zeros"), "stride is one whole number of at least 1.*got 0"),
        ((3, (2, 1), 0, 1, "zeros"), r"stride is one whole number .*got \(2, 1\)"),
        ((3, 1, 0, 0.5, "zeros"), "dilation is one whole number of at least 1.*got 0.5"),
        ((3, 1, -1, 1, "zeros"), "padding is 'same' or one whole number of at least 0.*got -1"),
        ((3, 1, "valid", 1, "zeros"), "padding is 'same' or one whole number.*got 'valid'"),
    ],
)
def test_numbers_out_of_range(options, text):
    with pytest.raises(ValueError, match=text):
        Window(*options)


def test_arrays_that_do_not_fit():
    field = Field.parse("1x0e+1x1o", O3())
    check_array("Layer", field, torch.zeros(2, 4, 5, 5, 5))
    with pytest.raises(FieldMismatchError, match=r"\(batch, channel, x, y, z\) of .*got \(4, 5, 5"):
        check_array("Layer", field, torch.zeros(4, 5, 5, 5))
    with pytest.raises(FieldMismatchError, match=r"\(4 channels\) and got \(2, 3, 5, 5, 5\)"):
        check_array("Layer", field, torch.zeros(2, 3, 5, 5, 5))
    with pytest.raises(ValueError, match="Layer"):
        check_array("Layer", field, torch.zeros(2, 4, 5, 5, 5, dtype=torch.long))
