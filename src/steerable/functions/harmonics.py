"""Solid and spherical harmonics, in the plane and in space."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def solid_harmonics(x: Tensor, max_degree: int) -> Tensor:
    """Homogeneous harmonic polynomials of degrees 0 to `max_degree`, smooth everywhere.

    In space these are |x|^l Y_l(x/|x|) in e3nn's real basis and order with its normalisation
    `component` (|Y_l|^2 = 2l + 1 on the unit sphere), in the plane 1 and
    sqrt(2) r^k (cos k t, sin k t).

    Args:
        x: points (..., d), d = 2 or 3.
        max_degree: highest degree.

    Returns:
        (..., (max_degree + 1)^2) in space, (..., 2 max_degree + 1) in the plane.

    Raises:
        ValueError: the points are not floating-point numbers, or not of 2 or 3 coordinates.
    """
    return _solid(_columns(x), max_degree)


def spherical_harmonics(x: Tensor, max_degree: int) -> Tensor:
    """`solid_harmonics` of the unit vectors x/|x|.

    At x = 0 the harmonics of degree above 0 vanish, and so do their derivatives.
    """
    if x.shape[-1] == 3 and max_degree == 1:
        return _first_degree(x)
    columns = _columns(x)
    square = torch.stack([column * column for column in columns]).sum(0)
    inverse = torch.where(square > 0, square, torch.inf).rsqrt()  # 1/inf and its derivatives are 0
    return _solid([column * inverse for column in columns], max_degree)


def _first_degree(x: Tensor) -> Tensor:
    """(1, sqrt(3) x/|x|): the harmonics of degree 1 are the coordinates, in their order."""
    if not x.is_floating_point():
        raise ValueError(f"Harmonics need floating-point points; got {x.dtype}.")
    square = (x * x).sum(-1, keepdim=True)
    inverse = torch.where(square > 0, square, torch.inf).rsqrt()  # 1/inf and its derivatives are 0
    return torch.cat([torch.ones_like(square), x * (3**0.5 * inverse)], -1)


def _columns(x: Tensor) -> list[Tensor]:
    """The coordinates of points (..., d), one contiguous tensor each."""
    if not x.is_floating_point():
        raise ValueError(f"Harmonics need floating-point points; got {x.dtype}.")
    if x.shape[-1] not in (2, 3):
        raise ValueError(
            f"Harmonics need points of 2 or 3 coordinates; got shape {tuple(x.shape)}."
        )
    return [column.contiguous() for column in x.unbind(-1)]


def _solid(columns: list[Tensor], max_degree: int) -> Tensor:
    harmonics = (_circular if len(columns) == 2 else _spherical)(columns, max_degree)
    if torch.compiler.is_compiling():  # one kernel writes every row at once
        return torch.stack(harmonics, -1)
    # One transpose takes half the time of writing strided columns.
    return torch.stack(harmonics).movedim(0, -1).contiguous()


def _circular(point: list[Tensor], max_degree: int) -> list[Tensor]:
    a, b = point
    columns = [torch.ones_like(a)]
    cosine, sine = torch.full_like(a, 2**0.5), torch.zeros_like(a)
    for _ in range(max_degree):
        cosine, sine = cosine * a - sine * b, cosine * b + sine * a
        columns += [cosine, sine]
    return columns


def _spherical(point: list[Tensor], max_degree: int) -> list[Tensor]:
    """Solid harmonics in space, by recursion over the degree.

    With the polar coordinate p = y, the coordinates a = z and b = x, and r^2 = a^2 + b^2 + p^2:

    Y_l^m = s_lm (p Y_(l-1)^m - r^2 Y_(l-2)^m / s_(l-1)m),  s_lm^2 = (4 l^2 - 1) / (l^2 - m^2),
    for |m| < l;
    Y_l^l + i Y_l^-l = sqrt(1 + 1/2l) (a + i b) (Y_(l-1)^(l-1) + i Y_(l-1)^(1-l)), from sqrt(2) at
    l = 0.
    """
    b, p, a = point
    square = a * a + b * b + p * p
    below: dict[int, Tensor] = {}
    level = {0: torch.ones_like(p)}
    columns = [level[0]]
    cosine, sine = torch.full_like(p, 2**0.5), torch.zeros_like(p)
    for l in range(1, max_degree + 1):
        scale = math.sqrt(1 + 1 / (2 * l))
        across, along = scale * b, scale * a
        cosine, sine = cosine * along - sine * across, cosine * across + sine * along
        above = {-l: sine, l: cosine}
        for m in range(1 - l, l):
            rising = p * level[m]
            if m in below:
                rising = torch.addcmul(rising, square, below[m], value=-1 / _slope(l - 1, m))
            above[m] = _slope(l, m) * rising
        columns += [above[m] for m in range(-l, l + 1)]
        below, level = level, above
    return columns


def _slope(l: int, m: int) -> float:
    return math.sqrt((4 * l * l - 1) / (l * l - m * m))
