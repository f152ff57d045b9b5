"""Derivatives on grids, as weights of neighbouring points."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...functions import exponents_up_to
from .polyharmonic import spline_stencil

METHODS = ("least_squares", "smoothed", "finite_difference", "rbf", "gaussian")
_NARROWEST = 14.0  # points of a stencil per sigma; here least squares still are exact to 1e-12


def grid_stencil(
    dim: int,
    size: int,
    order: int,
    method: str = "least_squares",
    degree: int | None = None,
    sigma: float | None = None,
) -> Tensor:
    """Weights w of derivatives on a grid.

    (d^a f)(x) = sum over o in {-(n-1)/2, ..., (n-1)/2}^d of w[a, o] f(x + o).

    * `least_squares`: derivatives of the polynomial p with the least sum of exp(-|o|^2 / 2 sigma^2)
      (p(o) - f(x + o))^2 among those of total degree `degree`; exact on them. Of all stencils of
      one size it turns best with waves that turn by any angle.
    * `smoothed`: derivatives of G * f, G the normal density of standard deviation sigma: those of
      `gaussian` with the least change, in the norm that weights 1 / G, which makes them exact on
      polynomials of total degree `degree`. They turn nearly as well, and see all points of the
      stencil: what networks learn best from.
    * `finite_difference`: derivatives of the polynomial through all points, of degree n - 1 in
      every variable.
    * `rbf`: derivatives of the polyharmonic spline through all points that is exact on polynomials
      of `degree`.
    * `gaussian`: (-1)^|a| (d^a G)(o) with the normal density G of standard deviation sigma. The sum
      tends to d^a (G * f) as sigma and n grow. It is exact on no polynomial, and above order 1 not
      steerable: it is here to repeat published networks.

    All commute with the symmetries of the grid.

    Args:
        dim: number of axes d.
        size: points n along every axis, odd, at distance 1. (For a distance h divide row a by
            h^|a|.)
        order: highest order of the derivatives, at most n - 1.
        method: one of the five.
        degree: of the polynomials of `least_squares`, `smoothed` and `rbf`, from `order` to n - 1,
            the default.
        sigma: in points; by default 0.7, the best on 5 points, n / 5 for `smoothed` and n / 4 for
            `gaussian`; n / 14 or more.

    Returns:
        (monomial, n^d) in float64: a in the order of `exponents_up_to(dim, order)`, offsets in that
        of the points of an array whose axes are the variables.

    Raises:
        ValueError: an even size, an order or a degree that the points do not resolve, a method that
            does not exist.
    """
    degree = _checked(dim, size, order, method, degree, sigma)
    powers = exponents_up_to(dim, order)
    derivatives, terms = torch.from_numpy(powers), torch.from_numpy(exponents_up_to(dim, degree))
    if method == "finite_difference":
        return _products(
            _axis(size, math.inf).stencils.sum(0, keepdim=True), derivatives, terms[:1]
        )[0]
    if method == "gaussian":
        return _products(_gaussian(size, sigma or size / 4).unsqueeze(0), derivatives, terms[:1])[0]
    if method == "smoothed":
        return _smoothed(size, sigma or size / 5, derivatives, terms)
    axis = _axis(size, math.inf if method == "rbf" else sigma or max(0.7, size / _NARROWEST))
    fitted = _products(axis.stencils, derivatives, terms).sum(0)
    if method == "least_squares":
        return fitted
    basis = _products(axis.values.unsqueeze(1), derivatives[:1], terms).squeeze(1)
    rest = torch.eye(size**dim, dtype=torch.float64) - basis.T @ basis
    points = torch.cartesian_prod(*[_points(size)] * dim).view(-1, dim)
    spline = spline_stencil(points[None], fitted.T[None], rest[None], powers, degree)[0].T
    return _symmetric(spline, powers, dim)


class _Axis(NamedTuple):
    """Polynomials p_i of degrees i = 0 to n - 1, orthonormal on the points x.

    The weights are exp(-x^2 / 2 sigma^2).
    """

    values: Tensor
    """The square root of the weight times p_i(x): (degree, point)."""
    stencils: Tensor
    """p_i^(k)(0) times the weight times p_i(x): (degree, order k, point)."""


def _axis(size: int, sigma: float, blur: float = 0.0) -> _Axis:
    """The polynomials p of one axis, and derivatives of G * p.

    Powers of x are orthogonalised; G has width `blur`.
    """
    x, scale = _points(size), max(size // 2, 1)
    powers = torch.arange(size, dtype=torch.float64)
    root = torch.exp(-x.square() / (4 * sigma**2))
    values, factor = torch.linalg.qr(root[:, None] * (x[:, None] / scale) ** powers)
    moments = [_blurred(b, k, blur) for b in range(size) for k in range(size)]
    blurred = torch.tensor(moments, dtype=torch.float64).view(size, size)  # (power b, order k)
    at_centre = torch.linalg.inv(factor).T @ (blurred / scale ** powers[:, None])  # (degree, order)
    return _Axis(values.T, at_centre[:, :, None] * (values * root[:, None]).T[:, None])


def _blurred(power: int, order: int, sigma: float) -> float:
    """d^k (G * x^b)(0) = b! / (b - k)! E[z^(b - k)], z normal.

    Its even moments are sigma^m (m - 1)!!.
    """
    rest = power - order
    if rest < 0 or rest % 2:
        return 0.0
    return (
        math.factorial(power)
        / math.factorial(rest)
        * sigma**rest
        * math.prod(range(rest - 1, 0, -2))
    )


def _smoothed(size: int, sigma: float, derivatives: Tensor, terms: Tensor) -> Tensor:
    """Weights g + sum over p of (D p - <g, p>) G p.

    Here g = (-1)^|a| d^a G and D p = d^a (G * p)(0).
    """
    axis, density = _axis(size, sigma, sigma), _gaussian(size, sigma)
    weighted = axis.values * torch.exp(
        -_points(size).square() / (4 * sigma**2)
    )  # the weight times p(x)
    plain = axis.values * torch.exp(_points(size).square() / (4 * sigma**2))  # p(x)
    sampled = (plain @ density.T)[:, :, None] * weighted[:, None]
    change = _products(axis.stencils, derivatives, terms) - _products(sampled, derivatives, terms)
    return _products(density.unsqueeze(0), derivatives, terms[:1])[0] + change.sum(0)


def _gaussian(size: int, sigma: float) -> Tensor:
    """(-1)^k (d^k G)(x) = He_k(x / sigma) / sigma^k G(x): (order, point).

    The orders are k = 0 to n - 1.
    """
    x = _points(size) / sigma
    hermite = [torch.ones_like(x), x]
    for k in range(1, size - 1):
        hermite.append(x * hermite[k] - k * hermite[k - 1])
    density = torch.exp(-x.square() / 2) / (math.tau**0.5 * sigma)
    return torch.stack([h * density / sigma**k for k, h in enumerate(hermite[:size])])


def _products(axis: Tensor, derivatives: Tensor, terms: Tensor) -> Tensor:
    """Products over the axes of `axis` (degree, order, point).

    They are (term, derivative, points), by degrees and orders.
    """
    result = axis.new_ones(len(terms), len(derivatives), 1)
    for degree, order in zip(terms.T, derivatives.T, strict=True):
        result = (result.unsqueeze(3) * axis[degree][:, order].unsqueeze(2)).flatten(2)
    return result


def _symmetric(stencil: Tensor, powers: NDArray[np.int64], dim: int) -> Tensor:
    """The mean over all turns and reflections of the grid of a stencil.

    A stencil is (derivative, points).
    """
    row = {tuple(a): k for k, a in enumerate(powers.tolist())}
    array = stencil.unflatten(1, [round(stencil.shape[1] ** (1 / dim))] * dim)
    total = torch.zeros_like(array)
    for axes in itertools.permutations(range(dim)):
        moved = array[[row[tuple(a)] for a in powers[:, axes].tolist()]].permute(
            0, *[1 + k for k in np.argsort(axes)]
        )
        for mirrored in itertools.product((False, True), repeat=dim):
            sign = torch.from_numpy((-1.0) ** (powers @ np.array(mirrored))).view(-1, *[1] * dim)
            total += sign * moved.flip([1 + k for k in range(dim) if mirrored[k]])
    return total.flatten(1) / (math.factorial(dim) * 2**dim)


def _points(size: int) -> Tensor:
    return torch.arange(size, dtype=torch.float64) - size // 2


def _checked(
    dim: int, size: int, order: int, method: str, degree: int | None, sigma: float | None
) -> int:
    """The degree, once everything else is in order."""
    shape = " x ".join([str(size)] * dim)
    if method not in METHODS:
        raise ValueError(f"method is one of {', '.join(METHODS)}; got {method!r}.")
    if dim < 1 or size < 1 or size % 2 == 0:
        raise ValueError(
            "The size of a stencil is odd, so that a point of the grid is its centre; got "
            f"{shape or dim}. Choose {max(size - 1, 1)} or {size + 1}."
        )
    if not 0 <= order < size:
        raise ValueError(
            f"A stencil of {shape} points resolves derivatives of orders 0 to {size - 1}; got "
            f"order {order}. Order {order} needs a size of {order + 1 + order % 2} or more."
        )
    if degree is not None and not order <= degree < size:
        raise ValueError(
            f"Derivatives up to order {order} on {shape} points take polynomials of a degree from "
            f"{order} to {size - 1}; got {degree}."
        )
    if sigma is not None and not size / _NARROWEST <= sigma < math.inf:
        raise ValueError(
            f"The Gaussian of a stencil of {shape} points needs a sigma of {size / _NARROWEST:.2g} "
            f"points or more, or double precision loses the outer ones; got {sigma}."
        )
    return size - 1 if degree is None else degree
