"""What leaves the sphere: invariants of signals, and signals of lower degree."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ...constants import ConstantModule
from ...field import Field, invariant_field
from ...functions import Layout, power_spectrum
from ...groups import SO3
from .signals import SphereSignals


class SphereInvariants(nn.Module):
    """The mean f^0 of every signal and, if asked for, the power |f^l|^2 of every degree above 0.

    The mean over all rotations is the coefficient of degree 0: no grid is needed. Powers are
    invariant, too, but do not tell everything that rotations leave (a nonlinearity and then the
    mean can, `Bispectrum` nearly does).

    Args:
        signals: type of the input, with the column n = 0.
        power: whether powers are given.

    Raises:
        ValueError: signals without a mean, such as tangent vectors, and no powers.
    """

    def __init__(self, signals: SphereSignals, power: bool = False) -> None:
        super().__init__()
        if 0 not in signals.layout.orders and not power:
            raise ValueError(f"{signals} have no mean, which is the column n = 0. Take power=True.")
        self.signals, self.power = signals, power
        self.field_in: Field = signals.field
        numbers = int(0 in signals.layout.orders) + power * sum(l > 0 for l in signals.degrees)
        self.field_out = invariant_field(SO3(), signals.channels * numbers)

    def forward(self, x: Tensor) -> Tensor:
        """Features (..., field_in.dim) to (..., field_out.dim).

        Numbers of the first channel, of the second, ...
        """
        self.field_in.check(x, "SphereInvariants")
        f = self.signals.coefficients(x)
        mean = f[..., : int(0 in self.signals.layout.orders)]
        if not self.power:
            return mean.flatten(-2)
        powers = power_spectrum(f, self.signals.layout)[..., [l for l in self.signals.degrees if l]]
        return torch.cat([mean, powers], -1).flatten(-2)

    def extra_repr(self) -> str:
        return f"{self.signals}, power={self.power}"


class SpherePool(ConstantModule):
    """Degrees up to a lower one, F^l exp(-l (l + 1) s^2 / 2).

    A smoothed signal that a smaller grid carries.

    It commutes with rotations exactly. Without smoothing, s = 0, it is the best approximation of
    the lower degree.

    Args:
        signals: type of the input.
        max_degree: the highest degree of the result.
        width: s in radians.

    Raises:
        ValueError: a degree above that of the signals or below their orders, or a width that is not
            0 or more.
    """

    _taper: Tensor

    def __init__(self, signals: SphereSignals, max_degree: int, width: float = 0.0) -> None:
        super().__init__()
        if max_degree > signals.layout.max_degree:
            raise ValueError(
                f"Pooling lowers the degree {signals.layout.max_degree} of signals; got "
                f"{max_degree}, which is higher."
            )
        if not 0 <= width < math.inf:
            raise ValueError(f"The width of a Gaussian is 0 or more radians; got {width}.")
        orders = tuple(n for n in signals.layout.orders if abs(n) <= max_degree)
        if not orders:
            raise ValueError(
                f"Signals of the orders {signals.layout.orders} have no degree up to {max_degree}."
            )
        self.signals_in, self.signals_out = (
            signals,
            SphereSignals(Layout(max_degree, orders), signals.channels),
        )
        self.field_in, self.field_out = signals.field, self.signals_out.field
        taper = [math.exp(-l * (l + 1) * width**2 / 2) for l in self.signals_out.degrees]
        sizes = [term.dim for term in self.field_out]
        self.register_constant(
            "_taper",
            torch.tensor(taper, dtype=torch.float64).repeat_interleave(torch.tensor(sizes)),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Features (..., field_in.dim) to (..., field_out.dim)."""
        self.field_in.check(x, "SpherePool")
        return x[..., : self.field_out.dim] * self._taper

    def extra_repr(self) -> str:
        return f"{self.signals_in} -> {self.signals_out}"
