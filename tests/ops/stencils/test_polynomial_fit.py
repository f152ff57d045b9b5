"""Fits of polynomials against normal equations in plain monomials, and choices refused."""

import math

import numpy as np
import pytest
import torch

from steerable.functions.polynomials import exponents_up_to, factorials, monomials
from steerable.ops import knn, neighbourhoods
from steerable.ops.stencils.cloud import cloud_stencil
from steerable.ops.stencils.polynomial_fit import Fit, Monomials


def cloud(count=60, dim=3, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).random((count, dim)))


def graph(pos, k):
    """The k nearest, oneself among them."""
    return knn(pos, pos, k)


def stencil(pos, edge_index, order=2, *arguments, **options):
    offset = pos[edge_index[0]] - pos[edge_index[1]]
    return cloud_stencil(offset, neighbourhoods(edge_index, len(pos)), order, *arguments, **options)


@pytest.mark.parametrize(("sigma", "ridge"), [(0.5, 0.0), (0.8, 1e-3)])
@pytest.mark.parametrize("dim", [2, 3])
def test_least_squares_are_a_plain_fit(dim, sigma, ridge):
    """Normal equations in plain monomials; the ridge in Fischer's norm, but for the constant."""
    pos, powers = cloud(40, dim), exponents_up_to(dim, 3)
    edge_index = graph(pos, 30)
    weights = stencil(pos, edge_index, 2, degree=3, sigma=sigma, ridge=ridge)
    rows = exponents_up_to(dim, 2)
    for node in (0, 17):
        edges = (edge_index[1] == node).nonzero().squeeze(1)
        x = (pos[edge_index[0, edges]] - pos[node]).numpy()
        h = np.sqrt((x**2).sum(1).mean())
        g = np.exp(-(x**2).sum(1) / (2 * (sigma * h) ** 2))
        basis = monomials(torch.from_numpy(x / h), powers).numpy()
        fischer = (
            factorials(powers)
            / np.array([math.factorial(n) for n in powers.sum(1)])
            * (powers.sum(1) > 0)
        )
        normal = basis.T * (g / g.sum()) @ basis + ridge * np.diag(fischer)
        expected = factorials(powers)[:, None] * np.linalg.solve(normal, basis.T * (g / g.sum()))
        expected = expected[: len(rows)] / h ** rows.sum(1)[:, None]
        np.testing.assert_allclose(
            weights.weight[edges].T, expected, rtol=0, atol=1e-9 * abs(expected).max()
        )


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((2, "spline"), "least_squares, rbf; got 'spline'"),
        ((-1,), "orders 0 to N take polynomials of degree N or more, and 1 or more; got order -1"),
        ((2, "rbf", 1), "got order 2 and degree 1"),
        ((0, "rbf", 0), "got order 0 and degree 0"),
        (
            (2, "least_squares", None, 0.0),
            "sigma is 0.1 or more of the radius of a neighbourhood; got 0.0",
        ),
        ((2, "least_squares", None, math.inf), "got inf"),
        (
            (2, "least_squares", None, 0.5, -1.0),
            "ridge is 0 or, for least_squares alone, a positive number; got -1.0",
        ),
        ((2, "rbf", None, 0.5, 0.1), "got 0.1 for rbf"),
    ],
)
def test_bad_choices(arguments, text):
    pos = cloud(20, 2)
    with pytest.raises(ValueError, match=text):
        stencil(pos, graph(pos, 9), *arguments)


@pytest.mark.parametrize("dim", [2, 3])
def test_space_acts_on_monomials_orthogonally(dim):
    """m(R x) = M m(x) with an orthogonal M, for a rotation and a reflection R."""
    terms = Monomials.of(dim, 3)
    x = cloud(60, dim) - 0.5
    values = monomials(x, terms.powers) * torch.from_numpy(terms.norms)
    turn, _ = torch.linalg.qr(cloud(dim, dim, seed=1))
    for element in (turn, -turn, turn * torch.tensor([-1.0] + [1] * (dim - 1))):
        moved = monomials(x @ element.T, terms.powers) * torch.from_numpy(terms.norms)
        matrix = torch.linalg.lstsq(values, moved).solution.T
        torch.testing.assert_close(values @ matrix.T, moved)
        torch.testing.assert_close(matrix @ matrix.T, torch.eye(len(matrix), dtype=matrix.dtype))


def test_slots_that_hold_no_point_do_not_count():
    x = torch.cat([cloud(12, 2), torch.full((3, 2), 7.0)])[None]
    used = (torch.arange(15) < 12).double()[None]
    for method, ridge in (("least_squares", 1e-3), ("rbf", 0.0)):
        fit = Fit(2, method, None, 0.5, ridge)
        weight, condition = fit(x, used)
        few, expected = fit(x[:, :12], used[:, :12])
        assert not weight[:, 12:].any() and fit.total == 2
        torch.testing.assert_close(weight[:, :12], few)
        torch.testing.assert_close(condition, expected)
