"""Polyharmonic splines against the system of the textbook."""

import numpy as np
import pytest
import torch

from steerable.functions.polynomials import exponents_up_to, factorials, monomials
from steerable.ops import neighbourhoods
from steerable.ops.stencils.cloud import cloud_stencil
from steerable.ops.stencils.polyharmonic import _derivative, spline_stencil


def test_rbf_solves_the_system_of_the_textbook():
    """phi = r^5 and polynomials of degree 2 around a point off the nodes.

    Derivatives of phi by differences.
    """
    x = np.random.default_rng(0).normal(size=(14, 2))
    offset = torch.from_numpy(x)
    weights = cloud_stencil(
        offset, neighbourhoods(torch.stack([torch.arange(14), torch.zeros(14).long()]), 1), 2, "rbf"
    )
    powers = exponents_up_to(2, 2)
    basis = monomials(offset, powers).numpy()
    kernel = np.linalg.norm(x[:, None] - x, axis=2) ** 5
    system = np.block([[kernel, basis], [basis.T, np.zeros((6, 6))]])
    r = np.linalg.norm(x, axis=1)
    (a, b), one = -x.T, np.ones(14)
    first, second = (
        5 * r**3,
        15 * r,
    )  # d_i phi = first x_i, d_ij phi = second x_i x_j + first delta_ij
    phi = [
        r**5 * one,
        first * a,
        first * b,
        second * a * a + first,
        second * a * b,
        second * b * b + first,
    ]
    expected = np.linalg.solve(system, np.concatenate([phi, np.diag(factorials(powers))], 1).T)[:14]
    np.testing.assert_allclose(weights.weight, expected, rtol=0, atol=1e-11 * abs(expected).max())


@pytest.mark.parametrize("powers", [(0, 0), (1, 0), (1, 1), (2, 1), (0, 3)])
def test_derivatives_of_odd_powers_of_the_length(powers):
    """Against autograd of |x|^7, and 0 at 0 without NaN in its gradient."""
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(5, 2))).requires_grad_()
    expected = x.norm(dim=1) ** 7
    for axis, count in enumerate(powers):
        for _ in range(count):
            (gradient,) = torch.autograd.grad(expected.sum(), x, create_graph=True)
            expected = gradient[:, axis]
    torch.testing.assert_close(_derivative(x.unbind(1), powers, 7), expected)
    zero = torch.zeros(1, 2, dtype=torch.float64, requires_grad=True)
    value = _derivative(zero.unbind(1), powers, 7)
    (gradient,) = torch.autograd.grad(value.sum(), zero)
    assert value.item() == 0 and not gradient.any()


def test_a_spline_reproduces_what_spans_it():
    """Interpolation of phi(|x - x_j|) and of polynomials; where a point is left out, without it."""
    points = torch.from_numpy(np.random.default_rng(1).normal(size=(1, 9, 2)))
    powers = exponents_up_to(2, 1)
    basis = monomials(points[0], powers)
    onto = basis @ torch.linalg.pinv(basis)  # the orthogonal projection on polynomials
    slopes = torch.linalg.pinv(basis).T  # exact on polynomials; derivatives at 0 are coefficients
    weight = spline_stencil(points, slopes[None], torch.eye(9) - onto[None], powers, 1)[0]
    torch.testing.assert_close(basis.T @ weight, torch.eye(3, dtype=torch.float64))
    x = points[0]
    for power in torch.eye(9, dtype=torch.float64) - onto:  # coefficients orthogonal to polynomials
        values = torch.cdist(x, x) ** 3 @ power
        gradient = -3 * (power * x.norm(dim=1)) @ x
        torch.testing.assert_close(values @ weight[:, 1:], gradient)
