"""Bessel functions in their envelope by loops, and by operations of PyTorch."""

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from steerable.filters.bessel_loops import _SOURCE, BesselLoops
from steerable.ops.sums import native

CUTOFF = 2.0
LOOPS = BesselLoops(count=8, cutoff=CUTOFF, soft=1e-6 * CUTOFF, basis=1.3, envelope=0.7)


@pytest.fixture(autouse=True)
def compiler():
    if native(_SOURCE, torch.float64) is None:
        pytest.skip("there is no C compiler")


def offsets(edges=60, dim=3):
    """Relative positions: 0, near 0, at the cutoff and beyond it among them."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(edges, dim, generator=generator, dtype=torch.float64)
    x[0], x[1], x[2] = 0, 1e-4, 1e-2 * x[2]
    x[3], x[4] = CUTOFF * torch.eye(dim)[0], (CUTOFF - 1e-9) * torch.eye(dim)[1]
    return x.requires_grad_()


def derivatives(function, x):
    """The functions, and the first three derivatives of a number made of them."""
    b, f = function(x)
    values, number = [b, f], b.sin().sum() + (f * b).sum() + f.exp().sum()
    for _ in range(3):
        (gradient,) = torch.autograd.grad(number, x, create_graph=True)
        values.append(gradient)
        number = gradient.square().sum()
    return values


@pytest.mark.parametrize("dim", [2, 3])
def test_three_derivatives(dim):
    pairs = zip(
        derivatives(LOOPS, offsets(dim=dim)),
        derivatives(LOOPS.plain, offsets(dim=dim)),
        strict=True,
    )
    for value, expected in pairs:
        size = float(expected.detach().abs().max())
        torch.testing.assert_close(value, expected, rtol=1e-12, atol=1e-12 * size)


def test_finite_differences():
    x = offsets()[5:15].detach().requires_grad_()
    assert gradcheck(LOOPS, (x,)) and gradgradcheck(LOOPS, (x,))


def test_single_precision_is_the_rounded_number():
    x = offsets(1000).detach()
    for value, exact in zip(LOOPS(x.float()), LOOPS(x.float().double()), strict=True):
        torch.testing.assert_close(value, exact.float(), rtol=1.2e-7, atol=0)


def test_nothing_beyond_the_cutoff():
    x = offsets().detach()
    beyond = x.norm(dim=1) >= CUTOFF
    assert beyond.any() and not LOOPS(x)[1][beyond].any()


def test_a_batch_of_gradients_and_transforms():
    x = offsets(7)
    weights = torch.randn(5, 7, 8, dtype=torch.float64)
    b, _ = LOOPS(x)
    (batched,) = torch.autograd.grad(b, x, weights, is_grads_batched=True)
    single = [torch.autograd.grad(LOOPS(x)[0], x, weight)[0] for weight in weights]
    torch.testing.assert_close(batched, torch.stack(single))
    mapped = torch.func.vmap(lambda row: LOOPS(row[None])[0][0])(x.detach())
    torch.testing.assert_close(mapped, b.detach())


def test_no_edges():
    b, f = LOOPS(torch.empty(0, 3))
    assert b.shape == (0, 8) and f.shape == (0, 1)
