"""Derivatives on grids against polynomials, waves, closed forms and plain fits."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from steerable.functions import solid_harmonics
from steerable.functions.polynomials import (
    exponents,
    exponents_up_to,
    factorials,
    harmonic_polynomials,
    monomials,
)
from steerable.ops.stencils.grid import METHODS, grid_stencil

EXACT = [method for method in METHODS if method not in ("gaussian", "smoothed")]
SHAPES = [(1, 5), (2, 3), (2, 5), (2, 7), (3, 3), (3, 5)]


def offsets(dim, size):
    axis = torch.arange(size, dtype=torch.float64) - size // 2
    return torch.cartesian_prod(*[axis] * dim).view(-1, dim)


def highest(size):
    return min(size - 1, 4)


@pytest.mark.parametrize("method", EXACT)
@pytest.mark.parametrize(("dim", "size"), SHAPES)
def test_derivatives_of_polynomials_are_exact(dim, size, method):
    order = highest(size)
    weight = grid_stencil(dim, size, order, method)
    powers = exponents_up_to(dim, size - 1)
    assert weight.dtype == torch.float64 and weight.shape == (
        len(exponents_up_to(dim, order)),
        size**dim,
    )
    expected = torch.diag(torch.from_numpy(factorials(powers)))[: len(weight)]
    scale = (size // 2) ** torch.from_numpy(powers.sum(1)).double()
    found = weight @ monomials(offsets(dim, size), powers)
    torch.testing.assert_close(found / scale, expected / scale, rtol=0, atol=1e-12)


def test_finite_differences_are_exact_in_every_variable():
    size, order = 5, 4
    powers = np.array(list(itertools.product(range(size), repeat=2)))
    found = grid_stencil(2, size, order, "finite_difference") @ monomials(offsets(2, size), powers)
    rows = exponents_up_to(2, order)
    expected = (rows[:, None] == powers).all(2) * factorials(powers)
    torch.testing.assert_close(found, torch.from_numpy(expected), rtol=0, atol=1e-10)


def test_finite_differences_of_the_textbook():
    three, five = (
        grid_stencil(1, 3, 2, "finite_difference"),
        grid_stencil(1, 5, 4, "finite_difference"),
    )
    book = [[0, 1, 0], [-0.5, 0, 0.5], [1, -2, 1]]
    torch.testing.assert_close(three, torch.tensor(book, dtype=torch.float64), rtol=0, atol=1e-14)
    book = [
        [0, 0, 12, 0, 0],
        [1, -8, 0, 8, -1],
        [-1, 16, -30, 16, -1],
        [-6, 12, 0, -12, 6],
        [12, -48, 72, -48, 12],
    ]
    torch.testing.assert_close(
        five * 12, torch.tensor(book, dtype=torch.float64), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize(
    ("dim", "size", "degree", "sigma"),
    [(2, 3, 2, 0.6), (2, 5, 3, 1.1), (2, 5, 4, None), (3, 3, 2, None)],
)
def test_least_squares_are_a_plain_fit(dim, size, degree, sigma):
    o = offsets(dim, size)
    powers = exponents_up_to(dim, degree)
    root = torch.exp(-o.square().sum(1) / (4 * (sigma or 0.7) ** 2)).numpy()
    values = np.random.default_rng(0).normal(size=(len(o), 6))
    fitted = np.linalg.lstsq(
        root[:, None] * monomials(o, powers).numpy(), root[:, None] * values, rcond=None
    )[0]
    expected = (factorials(powers)[:, None] * fitted)[: len(exponents_up_to(dim, degree - 1))]
    found = grid_stencil(dim, size, degree - 1, degree=degree, sigma=sigma) @ torch.from_numpy(
        values
    )
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * abs(expected).max())


def numeric_derivative(powers, power, x):
    """d^a |x|^k by autograd."""
    x = torch.as_tensor(x).clone().requires_grad_()
    value = x.square().sum(1) ** (power / 2)
    for variable, times in enumerate(powers):
        for _ in range(times):
            value = torch.autograd.grad(value.sum(), x, create_graph=True)[0][:, variable]
    return value.detach().numpy()


def saddle_point(x, order, degree, power):
    """The weights of RBF-FD from the linear system of textbooks, for points x (point, d)."""
    rows, powers = exponents_up_to(x.shape[1], order), exponents_up_to(x.shape[1], degree)
    basis = monomials(torch.from_numpy(x), powers).numpy()
    kernel = np.linalg.norm(x[:, None] - x, axis=2) ** power
    system = np.block([[kernel, basis], [basis.T, np.zeros((len(powers),) * 2)]])
    right = np.zeros((len(system), len(rows)))
    for k, a in enumerate(rows.tolist()):
        at = np.where(np.abs(x).max(1, keepdims=True) > 0, -x, 1.0)
        right[: len(x), k] = numeric_derivative(a, power, at) * (np.abs(x).max(1) > 0)
        right[len(x) + k, k] = math.prod(map(math.factorial, a))
    return np.linalg.solve(system, right)[: len(x)].T


@pytest.mark.parametrize(
    ("dim", "size", "order", "degree", "power"),
    [(2, 3, 2, 2, 5), (2, 5, 3, 4, 5), (2, 5, 1, 1, 3), (3, 3, 1, 2, 3)],
)
def test_rbf_solves_the_system_of_the_textbook(dim, size, order, degree, power):
    found = grid_stencil(dim, size, order, "rbf", degree)
    expected = saddle_point(offsets(dim, size).numpy(), order, degree, power)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * abs(expected).max())


@pytest.mark.parametrize("dim", [2, 3])
def test_gaussians_are_derivatives_of_a_density_of_true_width_and_sign(dim):
    size, sigma = 5, 1.3
    rows = exponents_up_to(dim, 3)
    for a, found in zip(
        rows.tolist(), grid_stencil(dim, size, 3, "gaussian", sigma=sigma), strict=True
    ):
        x = offsets(dim, size).requires_grad_()
        value = torch.exp(-x.square().sum(1) / (2 * sigma**2)) / (math.tau * sigma**2) ** (dim / 2)
        for variable, times in enumerate(a):
            for _ in range(times):
                value = -torch.autograd.grad(value.sum(), x, create_graph=True)[0][:, variable]
        torch.testing.assert_close(found, value.detach(), rtol=0, atol=1e-15)


def test_gaussians_tend_to_derivatives_of_the_smoothed_function():
    """Of f = exp(-|x - c|^2 / 2 t^2) it is a Gaussian of variance sigma^2 + t^2.

    Its derivatives are closed.
    """
    sigma, t, centre = 1.2, 2.5, torch.tensor([0.7, -1.1], dtype=torch.float64)
    weight = grid_stencil(2, 15, 2, "gaussian", sigma=sigma)
    found = weight @ torch.exp(-(offsets(2, 15) - centre).square().sum(1) / (2 * t**2))
    s = sigma**2 + t**2
    value = t**2 / s * torch.exp(-centre.square().sum() / (2 * s))
    x, y = (centre / s).tolist()
    expected = value * torch.tensor([1, x, y, x * x - 1 / s, x * y, y * y - 1 / s])
    torch.testing.assert_close(found, expected.double(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dim", [2, 3])
def test_the_first_axis_is_the_first_variable_and_the_sign_is_right(dim, method):
    """A convolution of torch with f = x, y (, z).

    It gives 1 for the derivative along that axis and 0 for the others.
    """
    size, convolve = 9, functional.conv2d if dim == 2 else functional.conv3d
    weight = grid_stencil(dim, size, 1, method, **({"sigma": 1.0} if method == "gaussian" else {}))
    kernel = weight[1:].unflatten(1, [size] * dim).unsqueeze(1)
    for axis in range(dim):
        f = torch.arange(size, dtype=torch.float64).view(
            [-1 if k == axis else 1 for k in range(dim)]
        )
        found = convolve(f.expand([size] * dim)[None, None], kernel).flatten()
        accuracy = 2e-3 if method == "gaussian" else 1e-10  # a Gaussian has tails
        torch.testing.assert_close(
            found, torch.eye(dim, dtype=torch.float64)[axis], rtol=0, atol=accuracy
        )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("dim", "size"), SHAPES)
def test_symmetries_of_the_grid_are_exact(dim, size, method):
    """(g xi . d)^n f o g^-1 = ((xi . d)^n f) o g^-1 for every signed permutation g of the axes."""
    order = highest(size)
    weight = grid_stencil(dim, size, order, method)
    rows = exponents_up_to(dim, order)
    for axes in itertools.permutations(range(dim)):
        for signs in itertools.product((1, -1), repeat=dim):
            place = {tuple(a): k for k, a in enumerate(rows.tolist())}
            moved = offsets(dim, size)[:, axes] * torch.tensor(signs)
            points = (
                (moved + size // 2)
                @ torch.tensor([size**k for k in range(dim - 1, -1, -1)]).double()
            ).long()
            turned = weight[[place[tuple(a)] for a in rows[:, axes].tolist()]][:, points]
            sign = torch.tensor(
                [
                    math.prod(s**a for s, a in zip(signs, row, strict=True))
                    for row in rows[:, axes].tolist()
                ]
            )
            assert (
                (turned * sign[:, None] - weight).abs().amax(1) <= 1e-14 * weight.abs().amax(1)
            ).all()


def wave_error(weight, dim, size, degree, order, wavelength):
    """How far the harmonics in derivatives are from turning with waves, relative.

    They are those of one degree and one order.
    """
    u = torch.from_numpy(np.random.default_rng(0).normal(size=(1000, dim)))
    u = u / u.norm(dim=1, keepdim=True)
    start = len(exponents_up_to(dim, order)) - len(exponents(dim, order))
    combined = (
        torch.from_numpy(dict(harmonic_polynomials(dim, order))[degree])
        @ weight[start : start + len(exponents(dim, order))]
    )
    symbol = torch.exp(1j * (math.tau / wavelength * u @ offsets(dim, size).T)) @ combined.T.to(
        torch.complex128
    )
    first = degree**2 if dim == 3 else max(2 * degree - 1, 0)
    ideal = solid_harmonics(u, degree)[:, first : first + symbol.shape[1]].to(symbol)
    ideal = ideal * (symbol * ideal).sum() / ideal.square().sum()
    return float((symbol - ideal).norm() / ideal.norm())


@pytest.mark.parametrize(
    ("dim", "size", "degree", "sigma"),
    [(1, 5, 4, 1.0), (2, 5, 4, None), (2, 7, 5, 1.3), (3, 5, 3, 0.8)],
)
def test_smoothed_ones_are_derivatives_of_smoothed_polynomials(dim, size, degree, sigma):
    """E[(d^a f)(z)] over normal z, by Gauss-Hermite quadrature."""
    order, width = degree - 1, sigma or size / 5
    weight = grid_stencil(dim, size, order, "smoothed", degree, sigma)
    nodes, shares = (torch.from_numpy(found) for found in np.polynomial.hermite_e.hermegauss(8))
    z = width * torch.cartesian_prod(*[nodes] * dim).view(-1, dim)
    share = torch.cartesian_prod(*[shares / shares.sum()] * dim).view(-1, dim).prod(1)
    rows, powers = exponents_up_to(dim, order), exponents_up_to(dim, degree)
    for b in powers:
        for k, a in enumerate(rows):
            rest = b - a
            factor = factorials(b[None])[0] / factorials(rest[None])[0] if rest.min() >= 0 else 0.0
            expected = factor * (share @ monomials(z, np.maximum(rest, 0)[None])[:, 0])
            found = weight[k] @ monomials(offsets(dim, size), b[None])[:, 0]
            assert abs(found - expected) < 1e-11 * (1 + abs(expected))


def test_smoothed_ones_turn_with_plane_waves():
    for dim in (2, 3):
        weight = grid_stencil(dim, 5, 4, "smoothed")
        for degree, limit in {1: 2e-4, 2: 4e-4, 3: 1e-2}.items():
            assert wave_error(weight, dim, 5, degree, degree, 16) < limit


@pytest.mark.parametrize("dim", [2, 3])
def test_the_default_turns_with_plane_waves(dim):
    weight = grid_stencil(dim, 5, 3)
    for degree, limit in {1: 1e-4, 2: 3e-4, 3: 2e-3}.items():
        assert wave_error(weight, dim, 5, degree, degree, 16) < limit
    assert wave_error(weight, dim, 5, 0, 2, 16) < 2e-4


def test_gaussians_do_not():
    assert wave_error(grid_stencil(2, 5, 2, "gaussian", sigma=1.2), 2, 5, 2, 2, 16) > 0.1


@pytest.mark.parametrize(
    ("method", "size", "degree", "orders"),
    [
        ("finite_difference", 3, None, {1: 2, 2: 2}),
        ("finite_difference", 5, None, {1: 4, 2: 4, 3: 2, 4: 2}),
        ("least_squares", 3, None, {1: 2, 2: 2}),
        ("least_squares", 5, None, {1: 4, 2: 4, 3: 2, 4: 2}),
        ("least_squares", 5, 2, {1: 2, 2: 2}),
        ("rbf", 5, None, {1: 4, 2: 4, 3: 2, 4: 2}),
    ],
)
def test_orders_of_convergence(method, size, degree, orders):
    """On f = sin(x + 0.3) exp(y / 2), from step 0.1 to 0.05.

    By symmetry even orders gain one order.
    """
    order = max(orders)
    rows = exponents_up_to(2, order)
    x, y = 0.4, -0.2
    exact = np.array(
        [math.sin(x + 0.3 + a * math.pi / 2) * math.exp(y / 2) * 0.5**b for a, b in rows.tolist()]
    )
    weight = grid_stencil(2, size, order, method, degree).numpy()
    errors = []
    for h in (0.1, 0.05):
        o = h * offsets(2, size).numpy()
        found = weight @ (np.sin(x + 0.3 + o[:, 0]) * np.exp((y + o[:, 1]) / 2)) / h ** rows.sum(1)
        errors.append([np.linalg.norm((found - exact)[rows.sum(1) == n]) for n in orders])
    assert np.log2(np.divide(*errors)).round(1).tolist() == pytest.approx(
        list(orders.values()), abs=0.2
    )


def test_order_zero_of_one_point():
    for method in EXACT:
        torch.testing.assert_close(
            grid_stencil(2, 1, 0, method), torch.ones(1, 1, dtype=torch.float64)
        )


@pytest.mark.parametrize("size", [9, 15])
def test_wide_stencils_stay_exact(size):
    powers = exponents_up_to(2, size - 1)
    found = (
        grid_stencil(2, size, 1) @ monomials(offsets(2, size) / (size // 2), powers) * (size // 2)
    )
    torch.testing.assert_close(
        found[1:], torch.eye(len(powers), dtype=torch.float64)[1:3], rtol=0, atol=1e-10
    )


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((2, 4, 1), "odd, so that a point of the grid is its centre; got 4 x 4. Choose 3 or 5"),
        ((0, 3, 1), "odd, so that a point of the grid is its centre"),
        (
            (2, 3, 3),
            "3 x 3 points resolves derivatives of orders 0 to 2; got order 3. Order 3 needs a "
            "size of 5",
        ),
        ((2, 3, 4), "got order 4. Order 4 needs a size of 5"),
        ((3, 3, -1), "orders 0 to 2; got order -1"),
        (
            (2, 5, 2, "spline"),
            "least_squares, smoothed, finite_difference, rbf, gaussian; got 'spline'",
        ),
        (
            (2, 5, 2, "rbf", 5),
            "up to order 2 on 5 x 5 points take polynomials of a degree from 2 to 4; got 5",
        ),
        ((2, 5, 2, "least_squares", 1), "a degree from 2 to 4; got 1"),
        (
            (2, 5, 2, "least_squares", None, 0.1),
            "5 x 5 points needs a sigma of 0.36 points or more.* got 0.1",
        ),
        ((2, 5, 2, "gaussian", None, 0.0), "got 0.0"),
        ((2, 5, 2, "gaussian", None, math.nan), "got nan"),
    ],
)
def test_bad_input(arguments, text):
    with pytest.raises(ValueError, match=text):
        grid_stencil(*arguments)
