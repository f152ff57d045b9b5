"""Homogeneous polynomials: monomials, and harmonic polynomials expressed in them."""

from __future__ import annotations

import functools
import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .harmonics import solid_harmonics

Array = NDArray[np.float64]


@functools.lru_cache(maxsize=256)
def exponents(dim: int, degree: int) -> NDArray[np.int64]:
    """Exponents a (monomial, dim) of the monomials x^a of one degree.

    The highest power of the first variable comes first: x^2, x y, y^2 in the plane and
    x^2, x y, x z, y^2, y z, z^2 in space. There are binom(degree + dim - 1, dim - 1) monomials.

    Raises:
        ValueError: there are no variables, or the degree is negative.
    """
    if dim < 1 or degree < 0:
        raise ValueError(
            f"Monomials need at least one variable and a degree of 0 or more; got {dim} and "
            f"{degree}."
        )
    if dim == 1:
        return np.array([[degree]])
    blocks = []
    for first in range(degree, -1, -1):
        rest = exponents(dim - 1, degree - first)
        blocks.append(np.insert(rest, 0, first, axis=1))
    return np.concatenate(blocks)


def exponents_up_to(dim: int, degree: int) -> NDArray[np.int64]:
    """Exponents of the binom(degree + dim, dim) monomials of degrees 0 to `degree`, by degree."""
    return np.concatenate([exponents(dim, n) for n in range(degree + 1)])


def factorials(powers: NDArray[np.int64]) -> Array:
    """The products a_1! ... a_d! of exponents (monomial, dim).

    They are the Fischer inner products of the monomials x^a with themselves.
    """
    products = [math.prod(map(math.factorial, row)) for row in powers.tolist()]
    return np.array(products, dtype=np.float64)


def monomials(x: Tensor, powers: NDArray[np.int64]) -> Tensor:
    """The monomials x^a (..., monomial) of points (..., d) for exponents a (monomial, d)."""
    steps = [torch.ones_like(x)]
    for _ in range(int(powers.max(initial=0))):
        steps.append(steps[-1] * x)
    table = torch.stack(steps, -1)  # (..., d, power)
    columns = [
        table[..., k, :].index_select(-1, torch.from_numpy(powers[:, k]).to(x.device))
        for k in range(x.shape[-1])
    ]
    result = columns[0]
    for column in columns[1:]:
        result = result * column
    return result


@functools.lru_cache(maxsize=64)
def harmonic_polynomials(dim: int, degree: int) -> tuple[tuple[int, Array], ...]:
    """The Fischer decomposition: homogeneous polynomials of degree n as |x|^(n - j) Y_j(x).

    j = n, n - 2, ..., and Y_j are the harmonics of `solid_harmonics`, in its order and
    normalisation.

    Args:
        dim: 2 or 3 variables.
        degree: n.

    Returns:
        For every j the coefficients (component, monomial) of |x|^(n - j) Y_j in the monomials of
        `exponents(dim, degree)`.
    """
    # On the unit sphere |x|^(n - j) Y_j = Y_j, so the coefficients are a fit to values there.
    powers = exponents(dim, degree)
    weight = np.sqrt(factorials(powers) / math.factorial(degree))
    points = torch.from_numpy(np.random.default_rng(0).standard_normal((4 * len(powers) + 8, dim)))
    points = points / points.norm(dim=1, keepdim=True)
    values = monomials(points, powers).numpy() / weight
    harmonics = solid_harmonics(points, degree).numpy()
    parts = []
    for j in range(degree, -1, -2):
        start, end = (j * j, (j + 1) ** 2) if dim == 3 else (max(2 * j - 1, 0), 2 * j + 1)
        coefficients = (
            np.linalg.lstsq(values, harmonics[:, start:end], rcond=None)[0] / weight[:, None]
        )
        coefficients[np.abs(coefficients) < 1e-12] = 0.0
        parts.append((j, np.ascontiguousarray(coefficients.T)))
    return tuple(parts)
