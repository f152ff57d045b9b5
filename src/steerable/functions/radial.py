"""Radial bases, cutoffs, and a norm that can be differentiated twice at zero."""

from __future__ import annotations

import torch
from torch import Tensor


def safe_norm(x: Tensor) -> Tensor:
    """|x| over the last axis; at x = 0 it is 0 with zero first and second derivatives."""
    square = (x * x).sum(-1)
    positive = square > 0
    return torch.where(positive, torch.where(positive, square, 1.0).sqrt(), 0.0)


def bessel(distance: Tensor, count: int, cutoff: float) -> Tensor:
    """Bessel functions b_n(r) = sqrt(2) sin(n pi r / c) / (n pi r / c), n = 1..count.

    The functions of DimeNet up to a constant each, so that all begin at sqrt(2); smooth at r = 0.

    Args:
        distance: r (...), same unit as `cutoff`.
        count: how many.
        cutoff: c, where they vanish.

    Returns:
        (..., count).

    Source: Gasteiger et al. 2020, arXiv:2003.03123, eq. 7.
    """
    n = torch.arange(1, count + 1, dtype=distance.dtype, device=distance.device)
    u = distance.unsqueeze(-1) * (n * (torch.pi / cutoff))
    near = u.abs() < 0.1  # the series is exact to rounding there, and so are its derivatives
    square = u * u
    series = 1 - square / 6 * (1 - square / 20 * (1 - square / 42 * (1 - square / 72)))
    return 2**0.5 * torch.where(near, series, torch.sin(u) / torch.where(near, 1.0, u))


def even_gaussian(distance: Tensor, centres: Tensor, width: Tensor) -> Tensor:
    """exp(-(r - m_n)^2 / 2 s_n^2) + exp(-(r + m_n)^2 / 2 s_n^2).

    They are even in r, so that with r = |x| they are smooth functions of the point x at 0.

    Args:
        distance: r (...).
        centres: m (count,).
        width: s (count,).

    Returns:
        (..., count).
    """
    r = distance.unsqueeze(-1)
    return torch.exp(-0.5 * ((r - centres) / width) ** 2) + torch.exp(
        -0.5 * ((r + centres) / width) ** 2
    )


def polynomial_cutoff(distance: Tensor, cutoff: float, power: int = 6) -> Tensor:
    """1 - (p+1)(p+2)/2 u^p + p(p+2) u^(p+1) - p(p+1)/2 u^(p+2), u = r / cutoff.

    It is 0 beyond and twice differentiable there.

    Source: Gasteiger et al. 2020, arXiv:2003.03123, eq. 8.
    """
    u = distance / cutoff
    p = float(power)
    inside = 1 + u**power * (-(p + 1) * (p + 2) / 2 + u * (p * (p + 2) - u * p * (p + 1) / 2))
    return torch.where(u < 1, inside, 0.0)


def cosine_cutoff(distance: Tensor, cutoff: float, power: int = 2) -> Tensor:
    """((1 + cos(pi r / cutoff)) / 2)^power, and 0 beyond.

    It is 2 power - 1 times continuously differentiable there.
    """
    u = distance / cutoff
    return torch.where(u < 1, (0.5 * (1 + torch.cos(torch.pi * u))) ** power, 0.0)
