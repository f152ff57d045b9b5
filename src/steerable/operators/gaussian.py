"""The kernel that an operator becomes when a Gaussian smooths it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..functions import exponents
from .symbol import Symbol


def smoothed_kernel(symbol: Symbol, x: Tensor, sigma: float) -> Tensor:
    """K(x) = P(d) G(x) with the Gaussian G of standard deviation sigma and integral 1.

    K * f = P(d) (G * f).

    As sigma goes to 0, K tends to the distribution P(d) delta, and K * f to P(d) f with an error of
    order sigma^2.

    Args:
        symbol: P.
        x: points (..., d).
        sigma: in the unit of x, positive.

    Returns:
        The matrices (..., out, in), in the dtype of x; differentiable.

    Raises:
        ValueError: points of another dimension, or a sigma that is not positive.
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
    table = torch.stack(
        hermite, -1
    )  # (..., d, n): (-sigma)^n d^n of the Gaussian of one variable, over the Gaussian
    value = x.new_zeros(*x.shape[:-1], *symbol.polynomial.shape)
    for n, part in symbol.parts.items():
        powers = torch.from_numpy(exponents(dim, n)).to(x.device)
        products = table[..., torch.arange(dim, device=x.device), powers].prod(
            -1
        )  # (..., monomial)
        value = (
            value + torch.tensordot(products, torch.from_numpy(part).to(x), 1) * (-1 / sigma) ** n
        )
    weight = torch.exp(-y.square().sum(-1) / 2) / (math.tau**0.5 * sigma) ** dim
    return value * weight[..., None, None]
