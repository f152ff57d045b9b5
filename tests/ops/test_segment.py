"""Segment reductions against loops."""

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from steerable.ops import segment_max, segment_mean, segment_softmax, segment_sum

REDUCTIONS = [segment_sum, segment_mean, segment_max]
INDEX = torch.tensor([4, 0, 4, 2, 0, 4, 1])
SIZE = 6


def rows(*shape):
    return torch.from_numpy(np.random.default_rng(0).normal(size=(len(INDEX), *shape)))


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,)])
@pytest.mark.parametrize(
    ("reduction", "one"),
    [
        (segment_sum, lambda part: part.sum(0)),
        (segment_mean, lambda part: part.mean(0)),
        (segment_max, lambda part: part.amax(0)),
    ],
)
def test_reductions_are_loops(reduction, one, shape):
    """In any order of the index; segments without rows, at the end too, give zero."""
    x = rows(*shape)
    result = reduction(x, INDEX, SIZE)
    assert result.shape == (SIZE, *shape)
    for k in range(SIZE):
        part = x[k == INDEX]
        expected = one(part) if len(part) and part.numel() else torch.zeros(shape, dtype=x.dtype)
        torch.testing.assert_close(result[k], expected)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_the_softmax_is_a_loop(shape):
    x = rows(*shape)
    result = segment_softmax(x, INDEX, SIZE)
    for k in range(SIZE):
        torch.testing.assert_close(result[k == INDEX], torch.softmax(x[k == INDEX], 0))
    shifted = segment_softmax(x + 1e4, INDEX, SIZE)
    torch.testing.assert_close(shifted, result, atol=1e-9, rtol=0)


@pytest.mark.parametrize("function", [*REDUCTIONS, segment_softmax])
def test_forces_may_train_through_them(function):
    x = rows(2).requires_grad_()
    assert gradcheck(lambda y: function(y, INDEX, SIZE), x)
    assert gradgradcheck(lambda y: function(y, INDEX, SIZE), x)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(), (3,)])
def test_no_rows(reduction, shape):
    nothing = torch.zeros(0, dtype=torch.long)
    assert reduction(torch.ones(0, *shape), nothing, 2).equal(torch.zeros(2, *shape))
    assert reduction(torch.ones(0, *shape), nothing, 0).shape == (0, *shape)
    assert segment_softmax(torch.ones(0, *shape), nothing, 2).shape == (0, *shape)


def test_equal_largest_rows_share_the_gradient():
    x = torch.tensor([2.0, 2.0, 1.0, -5.0], requires_grad=True)
    segment_max(x, torch.tensor([0, 0, 0, 1]), 2).sum().backward()
    assert x.grad.tolist() == [0.5, 0.5, 0, 1]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_the_mean_counts_right_in_half_precision(dtype):
    """The count of a large segment must not saturate: bfloat16 has no 257."""
    x = torch.zeros(5000, 2, dtype=dtype)
    x[:8] = 1000
    mean = segment_mean(x, torch.zeros(5000, dtype=torch.long), 1)
    torch.testing.assert_close(mean.double(), torch.full((1, 2), 1.6, dtype=torch.float64), rtol=1e-2, atol=0)


@pytest.mark.parametrize("reduction", [*REDUCTIONS, segment_softmax])
@pytest.mark.parametrize("outside", [2, -1])
def test_an_index_out_of_range_is_an_error(reduction, outside):
    with pytest.raises((RuntimeError, IndexError), match="out of (bounds|range)"):
        reduction(torch.ones(2, 3), torch.tensor([0, outside]), 2)
