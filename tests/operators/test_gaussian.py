"""Kernels of smoothed operators against derivatives of a Gaussian by autograd."""

import pytest
import torch

from oracles.groups import name
from oracles.operators import drawn, points, some_field
from steerable.functions.polynomials import exponents
from steerable.groups import O2, O3, point_group
from steerable.operators import named, smoothed_kernel


def derivative(values, x, row):
    """d^a of numbers (point,) by autograd."""
    for axis, count in enumerate(row):
        for _ in range(count):
            (grad,) = torch.autograd.grad(values.sum(), x, create_graph=True)
            values = grad[:, axis]
    return values


def gaussian(x, sigma):
    return torch.exp(-x.square().sum(-1) / (2 * sigma**2)) / (2 * torch.pi * sigma**2) ** (
        x.shape[-1] / 2
    )


@pytest.mark.parametrize("group", [O2(), O3(), point_group("T")], ids=name)
def test_the_kernel_is_the_operator_of_the_gaussian(group):
    field = some_field(group)
    symbol = drawn(field, field, 3)
    x = points(6, group.dim).requires_grad_()
    expected = 0
    for n, part in symbol.parts.items():
        for c, row in zip(torch.from_numpy(part), exponents(group.dim, n), strict=True):
            expected = expected + derivative(gaussian(x, 0.8), x, row)[:, None, None] * c
    kernel = smoothed_kernel(symbol, x, 0.8)
    torch.testing.assert_close(kernel, expected, rtol=1e-11, atol=1e-12)
    single = smoothed_kernel(symbol, x.detach().float(), 0.8)
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), kernel.detach(), rtol=1e-4, atol=1e-4)
    assert smoothed_kernel(symbol, x[:0], 0.8).shape == (0, field.dim, field.dim)


def test_kernels_can_be_differentiated_twice():
    symbol = named.hessian(2) @ named.divergence(2) + 0.5 * (named.strain(2))
    x = points(3, 2).requires_grad_()
    assert torch.autograd.gradcheck(lambda p: smoothed_kernel(symbol, p, 0.7), x)
    assert torch.autograd.gradgradcheck(lambda p: smoothed_kernel(symbol, p, 0.7), x)


def test_the_kernel_of_the_adjoint():
    """K*(x) = K(-x)^t."""
    symbol = drawn(some_field(O3()), some_field(O3(), 2), 3)
    x = points(5, 3)
    torch.testing.assert_close(
        smoothed_kernel(symbol.adjoint(), x, 0.9), smoothed_kernel(symbol, -x, 0.9).mT
    )


def test_bad_points_and_widths_are_named():
    with pytest.raises(
        ValueError, match=r"needs points \(..., 3\) and a positive sigma; got \(4, 2\) and 1.0"
    ):
        smoothed_kernel(named.curl(), torch.zeros(4, 2), 1.0)
    for sigma in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="a positive sigma"):
            smoothed_kernel(named.curl(), torch.zeros(4, 3), sigma)
