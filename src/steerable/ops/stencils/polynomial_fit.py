"""Polynomials fitted to the values at a point's neighbours, and their derivatives at the point."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...functions import Array, exponents_up_to, factorials, monomials
from .inverse import positive_inverse
from .polyharmonic import spline_stencil

METHODS = ("least_squares", "rbf")
# of condition numbers: derivatives that neighbours determine less well than this would be noise
LIMIT = 1e4


class Monomials(NamedTuple):
    """The monomials sqrt(|a|! / a!) x^a, |a| >= 1.

    Under Fischer's product rotations act on them orthogonally.
    """

    powers: NDArray[np.int64]
    norms: Array
    derivatives: Array
    """Their derivatives d^a at 0."""

    @classmethod
    @cache
    def of(cls, dim: int, degree: int) -> Monomials:
        """Those of degrees 1 to `degree`."""
        powers = exponents_up_to(dim, degree)[1:]
        norms = np.sqrt(np.array([math.factorial(n) for n in powers.sum(1)]) / factorials(powers))
        return cls(powers, norms, factorials(powers) * norms)


@dataclass(frozen=True)
class Fit:
    """How neighbours give derivatives; `cloud_stencil` says what the parameters mean.

    Raises:
        ValueError: a choice that does not exist.
    """

    order: int
    method: str
    degree: int | None
    sigma: float
    ridge: float

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"method is one of {', '.join(METHODS)}; got {self.method!r}.")
        if self.order < 0 or self.total < max(self.order, 1):
            raise ValueError(
                "Derivatives of orders 0 to N take polynomials of degree N or more, and 1 or more; "
                f"got order {self.order} and degree {self.total}."
            )
        if not 0.1 <= self.sigma < math.inf:
            raise ValueError(
                f"sigma is 0.1 or more of the radius of a neighbourhood; got {self.sigma}."
            )
        if not 0 <= self.ridge < math.inf or (self.ridge and self.method != "least_squares"):
            raise ValueError(
                f"ridge is 0 or, for least_squares alone, a positive number; got {self.ridge} for "
                f"{self.method}."
            )

    @property
    def total(self) -> int:
        """The total degree of the polynomials."""
        return max(self.order, 1) if self.degree is None else self.degree

    def __call__(self, x: Tensor, used: Tensor) -> tuple[Tensor, Tensor]:
        """Weights of derivatives at 0, and condition numbers.

        Polynomials without a constant are fitted to values without their mean: so constants are
        exact in any case.

        Args:
            x: points (node, slot, d) in float64.
            used: 1 in slots that hold a point, else 0 (node, slot).

        Returns:
            (node, slot, derivative), 0 in slots that hold no point, and (node,).
        """
        terms, powers = (
            Monomials.of(x.shape[2], self.total),
            exponents_up_to(x.shape[2], self.order),
        )
        x = x * used.unsqueeze(2)
        radius = _radius(x, used)
        y = x / radius
        share = self._shares(y, used)
        basis = monomials(y, terms.powers) * _like(x, terms.norms)
        mean = share.unsqueeze(1) @ basis
        basis = basis - mean
        weighted = share.unsqueeze(2) * basis
        unit = torch.eye(basis.shape[2], dtype=x.dtype, device=x.device)
        gram = weighted.mT @ basis + self.ridge * unit
        inverse, condition = positive_inverse(gram, LIMIT**2)
        inverse = (
            2 * inverse - inverse @ gram @ inverse
        )  # Newton's step: now first derivatives are exact
        fitted = weighted @ inverse
        exact = (
            2 * unit - basis.mT @ fitted - self.ridge * inverse
        )  # another, for second ones; and it undoes rounding
        value = _like(x, np.eye(1, len(powers)))  # at 0 the mean is missing
        slopes = _like(x, np.eye(len(terms.powers), len(powers), 1) * terms.derivatives[:, None])
        columns = exact @ (slopes - mean.mT * value) / radius ** _like(x, powers.sum(1))
        stencil = fitted @ columns + share.unsqueeze(2) * value
        if self.method == "rbf":
            onto = share.unsqueeze(2) + fitted @ (
                exact @ basis.mT
            )  # the values of the polynomial that fits values best
            rest = torch.diag_embed(used) - onto * used.unsqueeze(1)
            stencil = spline_stencil(x, stencil, rest, powers, self.total)
        return stencil, condition.sqrt()

    def _shares(self, y: Tensor, used: Tensor) -> Tensor:
        """The weights of points (node, slot, d) in the fit, of sum 1: (node, slot)."""
        if self.method == "least_squares":
            used = used * torch.exp(-y.square().sum(2) / (2 * self.sigma**2))
        return used / used.sum(1, keepdim=True)


def _radius(x: Tensor, used: Tensor) -> Tensor:
    """The root mean square of the distances of points (node, slot, d): (node, 1, 1).

    It is 1 where all are at 0.
    """
    square = x.square().sum((1, 2)) / used.sum(1)
    return torch.where(square > 0, square, 1.0).sqrt()[:, None, None]


def _like(x: Tensor, values: NDArray[np.int64] | Array) -> Tensor:
    return torch.from_numpy(values).to(x)
