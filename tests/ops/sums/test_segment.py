"""Segment reductions against loops."""

import numpy as np
import pytest
import torch
from torch._dynamo.backends.debugging import aot_eager
from torch.autograd import gradcheck, gradgradcheck

from steerable.ops import segment_max, segment_mean, segment_min, segment_softmax, segment_sum

REDUCTIONS = [segment_sum, segment_mean, segment_max, segment_min]
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
        (segment_min, lambda part: part.amin(0)),
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


@pytest.mark.parametrize("function", [*REDUCTIONS, segment_softmax])
@pytest.mark.parametrize("shape", [(), (2, 3)])
def test_the_gradient_is_that_of_a_loop(function, shape):
    """To the second order, with equal rows in one segment.

    Their maximum is any of them, so they share evenly.
    """
    loops = {
        segment_sum: lambda part: part.sum(0, keepdim=True),
        segment_mean: lambda part: part.mean(0, keepdim=True),
        segment_max: lambda part: part.amax(0, keepdim=True),
        segment_min: lambda part: part.amin(0, keepdim=True),
        segment_softmax: lambda part: part.softmax(0),
    }
    x = rows(*shape)
    x[4], x[5] = x[1], x[0]
    x.requires_grad_()
    order = torch.cat([torch.nonzero(k == INDEX).flatten() for k in range(SIZE)])

    def by_loop(x):
        parts = [loops[function](x[k == INDEX]) for k in range(SIZE) if (k == INDEX).any()]
        return torch.cat(parts)

    def ours(x):
        result = function(x, INDEX, SIZE)
        return result[order] if function is segment_softmax else result[INDEX.unique()]

    for steps in (1, 2):
        found = []
        for one in (ours, by_loop):
            value = (
                one(x).square() * torch.arange(1, 1 + len(one(x))).view(-1, *[1] * len(shape))
            ).sum()
            (gradient,) = torch.autograd.grad(value, x, create_graph=True)
            if steps == 2:
                (gradient,) = torch.autograd.grad(gradient.pow(3).sum(), x)
            found.append(gradient.detach())
        torch.testing.assert_close(*found)


@pytest.mark.parametrize("function", [*REDUCTIONS, segment_softmax])
def test_the_same_rows_give_the_same_bits(function):
    rng = np.random.default_rng(1)
    x = torch.from_numpy(rng.normal(size=(3000, 8))).float().requires_grad_()
    index = torch.from_numpy(rng.integers(0, 40, size=3000))
    found = []
    for deterministic in (False, False, True):
        torch.use_deterministic_algorithms(deterministic)
        try:
            result = function(x, index, 40)
            found.append((result.detach(), *torch.autograd.grad(result.square().sum(), x)))
        finally:
            torch.use_deterministic_algorithms(False)
    assert all(a.equal(b) for other in found[1:] for a, b in zip(found[0], other, strict=True))


@pytest.mark.parametrize("function", [*REDUCTIONS, segment_softmax])
def test_they_compile_for_any_size(function):
    """In one graph, made once for all sizes, forward and backward."""
    graphs = []

    def counting(graph, inputs):
        graphs.append(graph)
        return aot_eager(graph, inputs)

    torch._dynamo.reset()
    compiled = torch.compile(function, backend=counting, fullgraph=True, dynamic=True)
    for items, size in ((7, 4), (30, 9), (11, 20)):
        rng = np.random.default_rng(items)
        x = torch.from_numpy(rng.normal(size=(items, 3))).requires_grad_()
        index = torch.from_numpy(rng.integers(0, size, size=items))
        results = [one(x, index, size) for one in (function, compiled)]
        gradients = [torch.autograd.grad(result.square().sum(), x)[0] for result in results]
        torch.testing.assert_close(*results)
        torch.testing.assert_close(*gradients)
    assert len(graphs) == 1


@pytest.mark.parametrize("function", [*REDUCTIONS, segment_softmax])
def test_indices_of_any_width(function):
    x = rows(3).requires_grad_()
    results = [function(x, INDEX.to(dtype), SIZE) for dtype in (torch.int32, torch.int64)]
    assert results[0].equal(results[1])
    gradients = [torch.autograd.grad(result.square().sum(), x)[0] for result in results]
    assert gradients[0].equal(gradients[1])


def test_whole_numbers():
    x, index = torch.tensor([[3], [4], [-1]]), torch.tensor([1, 1, 0])
    assert segment_sum(x, index, 3).tolist() == [[-1], [7], [0]]
    assert segment_max(x, index, 3).tolist() == [[-1], [4], [0]]
    assert segment_min(x, index, 3).tolist() == [[-1], [3], [0]]
    assert segment_mean(x, index, 3).tolist() == [[-1], [3.5], [0]]


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int16, torch.int32])
def test_narrow_numbers_are_summed_as_by_torch(dtype):
    """Booleans are counted and sums do not wrap."""
    x = torch.full((1000, 2), 200).to(dtype)
    index = torch.arange(1000) % 2
    total, mean = segment_sum(x, index, 2), segment_mean(x, index, 2)
    for k in range(2):
        assert total.dtype == torch.int64 and total[k].equal(x[k::2].sum(0))
        torch.testing.assert_close(mean[k], x[k::2].float().mean(0))
    assert segment_sum(x, index, 2, dtype=torch.float64).equal(total.double())


def test_complex_numbers():
    x = torch.full((40_000,), 0.1 + 0.3j, dtype=torch.complex64)
    total = segment_sum(x, torch.zeros(40_000, dtype=torch.long), 1)
    assert total.dtype == torch.complex64
    assert abs(complex(total[0]) / (40_000 * complex(x[0])) - 1) < 1e-6
    mean = segment_mean(x, torch.zeros(40_000, dtype=torch.long), 1)
    torch.testing.assert_close(mean[0], x[0])


def test_the_softmax_of_whole_numbers():
    x, index = torch.tensor([1, 3, 2]), torch.tensor([0, 0, 1])
    torch.testing.assert_close(segment_softmax(x, index, 2), segment_softmax(x.float(), index, 2))


def test_masked_scores_get_no_weight():
    x = torch.tensor([0.0, -float("inf"), 1.0, -float("inf")])
    assert segment_softmax(x, torch.tensor([0, 0, 1, 1]), 2).tolist() == [1, 0, 1, 0]


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
def test_large_segments_in_half_precision(dtype):
    """Neither sums nor counts saturate.

    256 + 1 is 256 in bfloat16, 5000 * 100 is infinite in float16.
    """
    x, index = torch.ones(5000, 2, dtype=dtype), torch.zeros(5000, dtype=torch.long)
    assert segment_sum(x, index, 1).tolist() == [[torch.tensor(5000.0).to(dtype)] * 2]
    assert segment_mean(100 * x, index, 1).tolist() == [[100, 100]]
    softmax = segment_softmax(x, index, 1)
    assert softmax.dtype == dtype
    torch.testing.assert_close(
        softmax.double(), torch.full((5000, 2), 1 / 5000, dtype=torch.float64), rtol=1e-2, atol=0
    )


@pytest.mark.parametrize("reduction", [*REDUCTIONS, segment_softmax])
@pytest.mark.parametrize("outside", [2, -1])
def test_an_index_out_of_range_is_an_error(reduction, outside):
    with pytest.raises((RuntimeError, IndexError), match="out of (bounds|range)"):
        reduction(torch.ones(2, 3), torch.tensor([0, outside]), 2)


def _errors(rows, index, size):
    """Relative errors of the sum, the mean and the softmax of positive float32 rows."""
    exact = torch.zeros(size, rows.shape[1], dtype=torch.float64)
    exact.index_add_(0, index, rows.double())
    count = torch.bincount(index, minlength=size).clamp(min=1).unsqueeze(1)
    softmax = segment_softmax(rows.log(), index, size)
    pairs = (
        (segment_sum(rows, index, size), exact),
        (segment_mean(rows, index, size), exact / count),
        (softmax, rows.double() / exact.index_select(0, index)),
    )
    return [float(((ours - truth).abs() / truth).max()) for ours, truth in pairs]


@pytest.mark.parametrize(("items", "size"), [(64, 1), (4000, 60), (400_000, 3)])
@pytest.mark.parametrize("equal", [True, False], ids=["equal", "random"])
def test_large_segments_in_single_precision(items, size, equal):
    """Equal rows round alike at every step, so that errors add up."""
    rows = torch.full((items, 2), 0.1) if equal else torch.rand(items, 2) + 1e-3
    assert max(_errors(rows, torch.arange(items) % size, size)) < 1e-6


@pytest.mark.parametrize(("items", "size"), [(400_000, 12_500), (65, 60), (5000, 5000)])
def test_one_long_segment_in_single_precision(items, size):
    """All rows are in one segment, however few there are on average."""
    generator = torch.Generator().manual_seed(0)
    for rows in (torch.full((items, 1), 0.1), torch.rand(items, 1, generator=generator) + 1e-3):
        index = torch.full((items,), size - 1)
        # The other segments are 0, without an error.
        exact = rows.double().sum()
        assert abs(float(segment_sum(rows, index, size)[-1]) / exact - 1) < 1e-6
        assert abs(float(segment_mean(rows, index, size)[-1]) * items / exact - 1) < 1e-6
        softmax = segment_softmax(rows.log(), index, size).double()
        assert ((softmax * exact - rows).abs() / rows).max() < 1e-6


@pytest.mark.slow
def test_sums_of_twenty_million_rows_in_single_precision():
    """One by one they stop growing at 2^21, and their mean would be half of what it is."""
    rows, index = torch.full((2 * 10**7, 1), 0.1), torch.zeros(2 * 10**7, dtype=torch.long)
    assert max(_errors(rows, index, 1)) < 1e-6


@pytest.mark.parametrize("function", [segment_sum, segment_mean, segment_softmax])
def test_chunks_are_differentiated_twice(function):
    """Against one addition in float64, which needs no chunks."""
    generator = torch.Generator().manual_seed(0)
    rows = torch.rand(200_000, 3, generator=generator)
    index = torch.randint(5, (200_000,), generator=generator)
    gradients = []
    for dtype in (torch.float32, torch.float64):
        x = rows.to(dtype).requires_grad_()
        value = function(x, index, 5).pow(3).sum()
        (first,) = torch.autograd.grad(value, x, create_graph=True)
        (second,) = torch.autograd.grad(first.pow(2).sum(), x)
        gradients.append((first.detach().double(), second.double()))
    for ours, exact in zip(*gradients, strict=True):
        assert (ours - exact).norm() < 1e-6 * exact.norm()


@pytest.mark.parametrize("function", [*REDUCTIONS, segment_softmax])
@pytest.mark.parametrize("strict", [True, False])
def test_they_export_for_any_number_of_rows(function, strict):
    """Also where eager code goes over from single precision to float64."""

    class Reduction(torch.nn.Module):
        def forward(self, x, index):
            return function(x, index, 4)

    rows = torch.export.Dim("rows", min=2)
    example = (torch.rand(10, 3), torch.arange(10) % 4)
    program = torch.export.export(
        Reduction(), example, dynamic_shapes=({0: rows}, {0: rows}), strict=strict
    )
    for items in (7, 5000):
        x, index = torch.rand(items, 3), torch.arange(items) % 4
        torch.testing.assert_close(program.module()(x, index), function(x, index, 4))
