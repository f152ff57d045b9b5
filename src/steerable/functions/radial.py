"""Radial bases, cutoffs, and a norm that is twice differentiable at zero."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from ..tracing import is_traced, transforms_active


def safe_norm(x: Tensor) -> Tensor:
    """|x| over the last axis; at x = 0 it is 0 with zero first and second derivatives."""
    square = (x * x).sum(-1)
    positive = square > 0
    # The inner `where` keeps the square root of 0 out of the branch not taken, whose gradient would
    # be NaN.
    return torch.where(positive, torch.where(positive, square, 1.0).sqrt(), 0.0)


def bessel(distance: Tensor, count: int, cutoff: float) -> Tensor:
    """Bessel functions b_n(r) = sqrt(2) sin(n pi r / c) / (n pi r / c), n = 1..count.

    These are the functions of DimeNet, each scaled by a constant so that all start at sqrt(2). They
    are smooth at r = 0.

    Args:
        distance: r (...), in the unit of `cutoff`.
        count: the number of functions.
        cutoff: c, where they vanish.

    Returns:
        (..., count).

    Source: Gasteiger et al. 2020, arXiv:2003.03123, eq. 7.
    """
    if is_traced(distance) or transforms_active([distance]):
        n = torch.arange(1, count + 1, dtype=distance.dtype, device=distance.device)
        return 2**0.5 * _sine_ratio(distance.unsqueeze(-1) * (n * (torch.pi / cutoff)))
    n = _numbers(count, cutoff, distance.dtype, distance.device)
    value: Tensor = _SineRatio.apply(distance.unsqueeze(-1) * n)
    return value


@lru_cache(64)
def _numbers(count: int, cutoff: float, dtype: torch.dtype, device: torch.device) -> Tensor:
    """N / c, n = 1..count."""
    with torch.inference_mode(False):  # it may be saved for a backward pass later
        return torch.arange(1, count + 1, dtype=dtype, device=device) / cutoff


def _sine_ratio(u: Tensor) -> Tensor:
    """sin(u) / u in operations that every transform follows."""
    near = u.abs() < 0.1  # the series is exact to rounding there, and so are its derivatives
    square = u * u
    series = 1 - square / 6 * (1 - square / 20 * (1 - square / 42 * (1 - square / 72)))
    return torch.where(near, series, torch.sin(u) / torch.where(near, 1.0, u))


class _SineRatio(torch.autograd.Function):
    """sqrt(2) sin(pi v) / (pi v) by few operations forward and backward.

    The derivative of torch.sinc itself cancels near 0.
    """

    @staticmethod
    def forward(ctx: Any, v: Tensor) -> Tensor:
        ctx.save_for_backward(v)
        return torch.sinc(v).mul_(2**0.5)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (v,) = ctx.saved_tensors
        u = torch.pi * v
        near, square = u.abs() < 0.1, u * u
        series = -u / 3 * (1 - square / 10 * (1 - square / 28 * (1 - square / 54)))
        far = torch.where(near, 1.0, u)
        slope = torch.where(near, series, (torch.cos(u) - torch.sin(u) / far) / far)
        return grad * (2**0.5 * torch.pi) * slope


def even_gaussian(distance: Tensor, centres: Tensor, width: Tensor) -> Tensor:
    """Even Gaussians exp(-(r - m_n)^2 / 2 s_n^2) + exp(-(r + m_n)^2 / 2 s_n^2).

    Since they are even in r, they are smooth functions of a point x at 0 when r = |x|.

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
    """The polynomial cutoff of DimeNet, twice differentiable at the cutoff and 0 beyond.

    f(r) = 1 - (p+1)(p+2)/2 u^p + p(p+2) u^(p+1) - p(p+1)/2 u^(p+2), u = r / cutoff.

    Source: Gasteiger et al. 2020, arXiv:2003.03123, eq. 8.
    """
    if is_traced(distance) or transforms_active([distance]):
        return _cutoff(distance, cutoff, power)
    value: Tensor = _Cutoff.apply(distance, cutoff, power)
    return value


def _cutoff(distance: Tensor, cutoff: float, power: int) -> Tensor:
    """The polynomial, in operations that every transform follows."""
    u, p = (distance / cutoff).clamp(max=1.0), float(power)
    # The coefficients are whole numbers, or halves of them: at u = 1 this is exactly 0.
    return 1 - u**power * ((p + 1) * (p + 2) / 2 - u * (p * (p + 2) - u * (p * (p + 1) / 2)))


class _Cutoff(torch.autograd.Function):
    """The polynomial with its derivative -p (p+1) (p+2) / 2 u^(p-1) (1 - u)^2 / c."""

    @staticmethod
    def forward(ctx: Any, distance: Tensor, cutoff: float, power: int) -> Tensor:
        ctx.save_for_backward(distance)
        ctx.settings = cutoff, power
        return _cutoff(distance, cutoff, power)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        (distance,), (cutoff, p) = ctx.saved_tensors, ctx.settings
        u = (distance / cutoff).clamp(max=1.0)
        slope = u ** (p - 1) * (1 - u).square() * (-p * (p + 1) * (p + 2) / (2 * cutoff))
        return grad * slope, None, None


def cosine_cutoff(distance: Tensor, cutoff: float, power: int = 2) -> Tensor:
    """The cosine cutoff ((1 + cos(pi r / cutoff)) / 2)^power, which is 0 beyond the cutoff.

    It is 2 power - 1 times continuously differentiable at the cutoff.
    """
    u = distance / cutoff
    return torch.where(u < 1, (0.5 * (1 + torch.cos(torch.pi * u))) ** power, 0.0)
