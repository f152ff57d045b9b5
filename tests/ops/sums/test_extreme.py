"""Maxima and minima by torch-scatter, where it is installed."""

import importlib.util

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from steerable.ops import segment_max, segment_min
from steerable.ops.sums import extreme

needs_torch_scatter = pytest.mark.skipif(
    importlib.util.find_spec("torch_scatter") is None, reason="torch-scatter is not installed"
)
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
INDEX = torch.tensor([4, 0, 4, 2, 0, 4, 1])


def rows(dtype=torch.float64):
    """With equal rows in one segment, and segment 3 and 5 empty."""
    x = torch.randn(7, 3, dtype=dtype, generator=torch.Generator().manual_seed(0))
    x[5] = x[0]
    return x


@needs_torch_scatter
@pytest.mark.parametrize("which", ["amax", "amin"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.int64])
@pytest.mark.parametrize("index", [INDEX, INDEX.int()], ids=["int64", "int32"])
def test_torch_scatter_gives_the_same_entries(which, dtype, index):
    x = (10 * rows()).to(dtype)
    assert extreme.scattered(x, index, 6, which).equal(extreme.reduced(x, index, 6, which))


@needs_torch_scatter
@pytest.mark.parametrize("function", [segment_max, segment_min])
def test_gradients_through_torch_scatter(function, monkeypatch):
    """Equal extreme entries still share the gradient."""
    x = rows().requires_grad_()
    expected = torch.autograd.grad(function(x, INDEX, 6).square().sum(), x)[0]
    monkeypatch.setattr(extreme, "_serves_torch_scatter", lambda x: True)
    assert torch.autograd.grad(function(x, INDEX, 6).square().sum(), x)[0].equal(expected)
    apart = torch.arange(21, dtype=torch.float64).view(7, 3).sin().requires_grad_()
    assert gradcheck(lambda y: function(y, INDEX, 6), apart)
    assert gradgradcheck(lambda y: function(y, INDEX, 6), apart)


@needs_torch_scatter
@needs_cuda
@pytest.mark.parametrize("function", [segment_max, segment_min])
def test_torch_scatter_serves_cuda(function, monkeypatch):
    calls = []
    scattered = extreme.scattered
    monkeypatch.setattr(extreme, "scattered", lambda *given: calls.append(1) or scattered(*given))
    here, there = rows().requires_grad_(), rows().cuda().requires_grad_()
    results = function(here, INDEX, 6), function(there, INDEX.cuda(), 6)
    assert calls == [1]
    torch.testing.assert_close(results[0], results[1].cpu())
    gradients = [
        torch.autograd.grad(result.square().sum(), x)[0].cpu()
        for result, x in zip(results, (here, there), strict=True)
    ]
    torch.testing.assert_close(*gradients)


def test_without_cuda_or_torch_scatter_torch_reduces(monkeypatch):
    assert not extreme._serves_torch_scatter(rows())
    monkeypatch.setattr(extreme, "scattered", None)
    assert segment_max(rows(), INDEX, 6).shape == (6, 3)
