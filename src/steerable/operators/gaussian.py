"""The kernel of a differential operator that is smoothed by a Gaussian."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..functions import exponents
from .symbol import Symbol


def smoothed_kernel(symbol: Symbol, x: Tensor, sigma: float) -> Tensor:
    """The kernel K(x) = P(d) G(x), so that K * f = P(d) (G * f).

    G is the Gaussian of standard deviation sigma and integral 1. As sigma goes to 0, K tends to the
    distribution P(d) delta, and K * f to P(d) f with an error of order sigma^2.

    Args:
        symbol: the operator P.
        x: points (..., d).
        sigma: the standard deviation, positive, in the unit of x.

    Returns:
        The matrices (..., out, in), in the dtype of x; differentiable.

    Raises:
        ValueError: the points have another dimension, or sigma is not positive.
    """
    dim = symbol.group.dim
    if x.shape[-1] != dim or not 0 < sigma < math.inf:
        raise ValueError(
            f"A smoothed operator of {symbol.group} needs points (..., {dim}) and a positive "
            f"sigma; got {tuple(x.shape)} and {sigma}."
        )
    y = x / sigma
    hermite = [torch.ones_like(y), y]
    for n in range(1, symbol.order):
        hermite.append(y * hermite[n] - n * hermite[n - 1])
    # (..., d, n): the n-th derivative of the Gaussian of one variable is (-1 / sigma)^n times the
    # Hermite polynomial times the Gaussian.
    table = torch.stack(hermite, -1)
    variables = torch.arange(dim, device=x.device)
    value = x.new_zeros(*x.shape[:-1], *symbol.polynomial.shape)
    for n, part in symbol.parts.items():
        powers = torch.from_numpy(exponents(dim, n)).to(x.device)
        products = table[..., variables, powers].prod(-1)  # (..., monomial)
        term = torch.tensordot(products, torch.from_numpy(part).to(x), 1)
        value = value + term * (-1 / sigma) ** n
    weight = torch.exp(-y.square().sum(-1) / 2) / (math.tau**0.5 * sigma) ** dim
    return value * weight[..., None, None]
