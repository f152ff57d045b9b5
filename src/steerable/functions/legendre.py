"""Normalised associated Legendre functions of any degree."""

from __future__ import annotations

import torch
from torch import Tensor


def legendre(polar: Tensor, max_degree: int) -> Tensor:
    """Normalised associated Legendre functions P_l^m(t) of the polar angle t.

    The harmonics are Y_l^0 = P_l^0 and sqrt(2) P_l^m cos(m a), sqrt(2) P_l^m sin(m a).

    P_l^m = s_lm (cos(t) P_(l-1)^m - P_(l-2)^m / s_(l-1)m),  s_lm^2 = (4 l^2 - 1) / (l^2 - m^2),
    for m < l;
    P_l^l = sqrt(1 + 1/2l) sin(t) P_(l-1)^(l-1),  from P_0^0 = 1.

    Every P_l^m has mean square 1 on the sphere and no sign (-1)^m. Values do not grow with the
    degree, so the error stays at a few roundings up to degrees of about a thousand.

    Args:
        polar: angles t (...) in radians, floating point.
        max_degree: highest degree.

    Returns:
        (max_degree + 1, max_degree + 1, ...) with axes m, l, ...; zero for l < m.

    Source: Holmes, Featherstone 2002, J. Geodesy 76:279.
    """
    cosine, sine = polar.cos(), polar.sin()
    zeros = polar.new_zeros(max_degree + 1, *polar.shape)
    below, level, diagonal = zeros, zeros, torch.ones_like(polar)
    levels = []
    for l in range(max_degree + 1):
        m = torch.arange(l, dtype=polar.dtype, device=polar.device).view(-1, *[1] * polar.dim())
        slope = ((4 * l * l - 1) / (l * l - m * m)).sqrt()
        before = (
            (((l - 1) ** 2 - m * m).clamp(min=0) / (4 * (l - 1) ** 2 - 1)).sqrt()
            if l > 1
            else 0 * m
        )
        if l:
            diagonal = (1 + 1 / (2 * l)) ** 0.5 * sine * diagonal
        rising = slope * (cosine * level[:l] - before * below[:l])
        below, level = level, torch.cat([rising, diagonal[None], zeros[l + 1 :]])
        levels.append(level)
    return torch.stack(levels, 1)
