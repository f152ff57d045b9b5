"""Polyharmonic splines: the smoothest functions through given values.

They are exact on polynomials.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .inverse import positive_inverse

_LIMIT = 1e12  # of the condition number: what double precision resolves, with some digits to spare


def spline_stencil(
    points: Tensor, stencil: Tensor, rest: Tensor, powers: NDArray[np.int64], degree: int
) -> Tensor:
    """The derivatives at 0 of the spline through values at points, as weights of these values.

    The spline is sum over j of c_j phi(|x - x_j|) plus a polynomial of total degree p, with c
    orthogonal to such polynomials and phi(r) = r^k, k odd, smooth enough for derivatives of the
    weights and at most 2p + 1. Let v be any weights that are exact on polynomials, Q the projection
    on what is orthogonal to them, K = phi(|x_i - x_j|) and b = (d^a phi)(|0 - x_j|): then the
    weights of d^a are

        w = v + Q z   with   Q K Q z = Q (b - K v),

    and (-1)^((k + 1) / 2) Q K Q is positive on the image of Q. Where points coincide, the mean of
    their values counts.

    Args:
        points: x (batch, point, d).
        stencil: v (batch, point, derivative).
        rest: Q (batch, point, point); zero in the rows and columns of points to be left out.
        powers: exponents a (derivative, d), of order p or lower.
        degree: p.

    Returns:
        w (batch, point, derivative).
    """
    order = int(powers.sum(1).max())
    power = min(order + 2 + (order + 1) % 2, 2 * degree + 1)
    sign = (-1) ** ((power + 1) // 2)
    x = points.unbind(
        2
    )  # variable by variable: several times faster than sums over a last axis of 2 or 3
    kernel = sign * _derivative([c.unsqueeze(2) - c.unsqueeze(1) for c in x], (0,) * len(x), power)
    to_centre = [-c for c in x]
    at_centre = sign * torch.stack(
        [_derivative(to_centre, tuple(a), power) for a in powers.tolist()], -1
    )
    outside = torch.eye(points.shape[1], dtype=points.dtype, device=points.device) - rest
    scale = kernel.detach().abs().mean((1, 2), keepdim=True)
    inside = rest @ kernel @ rest + scale * outside
    inverse, _ = positive_inverse(inside, _LIMIT)
    right = rest @ (at_centre - kernel @ stencil)
    solution = inverse @ right
    for _ in range(2):  # each step makes one more order of derivatives exact, and undoes rounding
        solution = solution + inverse @ (right - inside @ solution)
    return stencil + rest @ solution


def _derivative(x: Sequence[Tensor], powers: tuple[int, ...], power: int) -> Tensor:
    """d^a |x|^k for odd k, from d_i d^b |x|^k = k (x_i d^b + b_i d^(b - e_i)) |x|^(k - 2)."""
    if not any(powers):
        square = torch.stack([c.square() for c in x]).sum(0)
        away = square > 0  # the root of 0 has no gradient
        return torch.where(away, torch.where(away, square, 1.0) ** (power / 2), 0.0)
    i = next(i for i, a in enumerate(powers) if a)
    lower = _lowered(powers, i)
    result = x[i] * _derivative(x, lower, power - 2)
    if lower[i]:
        result = result + lower[i] * _derivative(x, _lowered(lower, i), power - 2)
    return power * result


def _lowered(powers: tuple[int, ...], i: int) -> tuple[int, ...]:
    return (*powers[:i], powers[i] - 1, *powers[i + 1 :])
