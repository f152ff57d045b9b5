"""Nodes and weights on the sphere: rings of constant polar angle, Lebedev's points, HEALPix.

Weights compute the mean over the sphere, so their sum is 1; times 4 pi they compute the integral.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Extended = NDArray[np.floating]  # np.longdouble: wider than float64 on most machines

# Newton's method starts with errors of a few percent of the distance between nodes, and every step
# doubles the number of correct digits.
_NEWTON_STEPS = 6

_NEGATIVE = (13, 25, 27)  # Lebedev's rules of these degrees have negative weights
_LEBEDEV = [degree for degree in (*range(3, 33, 2), *range(35, 132, 6)) if degree not in _NEGATIVE]


def fejer(count: int) -> tuple[Array, Array]:
    """Fejer's first rule: angles pi (2 j + 1) / 2 n, exact up to degree n - 1.

    With n = 2 B it is the rule used by Driscoll and Healy and by Kostelec and Rockmore for degrees
    below B.

    Args:
        count: number n of rings.

    Returns:
        Polar angles (count,) in radians, ascending, and weights (count,).

    Source: Waldvogel 2006, BIT 46:195; Kostelec, Rockmore 2008, J. Fourier Anal. Appl. 14:145.
    """
    _check_count(count, 1, "Fejer's rule")
    polar = np.pi * (2 * np.arange(count) + 1) / (2 * count)
    return polar, _cosine_moments(polar, (count - 1) // 2) / count


def clenshaw_curtis(count: int) -> tuple[Array, Array]:
    """The Clenshaw-Curtis rule: angles pi j / (n - 1) with both poles, exact up to degree n - 1.

    Args:
        count: number n of rings, at least 2.

    Returns:
        Polar angles (count,) in radians, ascending, and weights (count,).

    Source: Waldvogel 2006, BIT 46:195.
    """
    _check_count(count, 2, "The rule of Clenshaw and Curtis")
    polar = np.pi * np.arange(count) / (count - 1)
    terms = (count - 1) // 2
    weights = _cosine_moments(polar, terms)
    if count % 2:  # the last cosine of a closed rule counts half
        weights -= _moment(terms) * np.cos(2 * terms * polar)
    weights[[0, -1]] /= 2
    return polar, weights / (count - 1)


def gauss_legendre(count: int) -> tuple[Array, Array]:
    """The Gauss-Legendre rule, exact up to degree 2 n - 1: it needs the fewest rings.

    The nodes are computed by Newton's method on P_n(cos t) = 0, in extended precision where it is
    available. The weights w = 1 / (dP_n / dt)^2 are then accurate to the last digits, of which
    eigenvalue methods lose up to five.

    Args:
        count: number n of rings.

    Returns:
        Polar angles (count,) in radians, ascending, and weights (count,).
    """
    _check_count(count, 1, "The rule of Gauss and Legendre")
    half_turn = np.arccos(np.longdouble(-1))
    polar: Extended = half_turn * (4 * np.arange(1, (count + 1) // 2 + 1) - 1) / (4 * count + 2)
    for _ in range(_NEWTON_STEPS):
        value, slope = _legendre_with_slope(count, polar)
        polar = polar - value / slope
    weights = 1 / _legendre_with_slope(count, polar)[1] ** 2
    north = slice(count // 2)
    polar = np.concatenate([polar, half_turn - polar[north][::-1]])
    return polar.astype(np.float64), np.concatenate([weights, weights[north][::-1]]).astype(
        np.float64
    )


def lebedev(degree: int) -> tuple[Array, Array]:
    """Lebedev's points, about (degree + 1)^2 / 3; the symmetries of the cube permute them.

    Args:
        degree: every polynomial up to this degree is integrated exactly; at most 131.

    Returns:
        Points (point, 3) on the unit sphere and weights (point,), all positive, of the smallest
        such rule.

    Source: Lebedev, Laikov 1999, Doklady Mathematics 59:477.
    """
    from scipy.integrate import lebedev_rule  # takes a second to import

    if not 0 <= degree <= _LEBEDEV[-1]:
        raise ValueError(
            f"Lebedev's rules are tabulated up to degree {_LEBEDEV[-1]}; got {degree}."
        )
    points, weights = lebedev_rule(next(exact for exact in _LEBEDEV if exact >= degree))
    return points.T, weights / weights.sum()


def healpix_rings(nside: int) -> tuple[Array, NDArray[np.int64], Array]:
    """The rings of HEALPix, in its ring order: 12 nside^2 points of equal weight.

    Args:
        nside: number of points along an edge of the twelve faces.

    Returns:
        For every ring from the north (4 nside - 1,): the polar angle in radians, the number of
        points, and the azimuth of the first point in units of the distance to the next.

    Source: Gorski et al. 2005, ApJ 622:759.
    """
    _check_count(nside, 1, "HEALPix")
    ring = np.arange(1, 4 * nside)
    cap = np.minimum(np.minimum(ring, 4 * nside - ring), nside)
    sign = np.sign(2 * nside - ring)
    height = np.where(
        cap < nside, sign * (1 - cap**2 / (3 * nside**2)), (4 * nside - 2 * ring) / (3 * nside)
    )
    # Near the poles arccos(1 - x) would lose half the digits.
    small = 2 * np.arcsin(cap / (math.sqrt(6) * nside))
    polar = np.where(cap < nside, np.where(sign > 0, small, np.pi - small), np.arccos(height))
    offset = np.where((cap < nside) | ((ring + nside) % 2 == 0), 0.5, 0.0)
    return polar, 4 * cap, offset


def _cosine_moments(polar: Array, terms: int) -> Array:
    """The sum over |k| <= terms of cos 2 k t times its mean over the sphere."""
    k = np.arange(terms + 1)
    factor = np.where(k > 0, 2, 1) * _moment(k)
    return np.cos(2 * np.outer(polar, k)) @ factor


def _moment(k: NDArray[np.int64] | int) -> Array:
    """The mean of cos 2 k t over the sphere."""
    return np.asarray(1 / (1 - 4.0 * np.asarray(k) ** 2))


def _legendre_with_slope(degree: int, polar: Extended) -> tuple[Extended, Extended]:
    """P_n(cos t) and its derivative by t."""
    x = np.cos(polar)
    before, value = np.zeros_like(x), np.ones_like(x)
    for n in range(1, degree + 1):
        before, value = value, ((2 * n - 1) * x * value - (n - 1) * before) / n
    return value, degree * (x * value - before) / np.sin(polar)


def _check_count(count: int, least: int, owner: str) -> None:
    if count < least:
        raise ValueError(f"{owner} needs at least {least} of them; got {count}.")
