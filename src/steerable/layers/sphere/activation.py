"""Nonlinearities of signals on the sphere and on the rotations.

Pointwise on a grid, or the exact product.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

import torch
from torch import Tensor, nn

from ...constants import ConstantModule
from ...functions import (
    Layout,
    RingTransform,
    RotationTransform,
    SphereGrid,
    SphereTransform,
    real_coupling,
)
from ..meaning import Meaningful
from .degree_mixing import degree_pairs
from .signals import SphereSignals


class SphereActivation(ConstantModule):
    """Every signal f becomes h(f(x)), cut off at its degrees.

    The function is of the values at the samples x of a grid.

    The function makes degrees without end, and those that the grid does not carry alias: the layer
    commutes with rotations up to an error that falls with `oversampling`. Measured mean relative
    error under random rotations of signals of degree 7, unit variance and equal power in all
    degrees:

        oversampling               1         1.5       2         3         4
        SiLU, sphere               1.8e-1    8.7e-3    1.0e-3    1.7e-5    4.4e-7
        SiLU, rotations, |n| <= 1  2.6e-1    1.1e-2    1.1e-3    1.5e-5    3.4e-7
        SiLU, rotations            1.3e-1    4.5e-3    3.5e-4    3.4e-6    5.1e-8
        ReLU, sphere               2.1e-1    4.2e-2    1.9e-2    6.5e-3    3.2e-3

    Polynomials of degree 2 are exact from 1.5.

    Args:
        signals: type of input and output, on the sphere or on the rotations.
        function: h, applied to every sample.
        oversampling: k; the grid carries k times as many degrees and orders as the signals, at
            least 1.

    Raises:
        ValueError: an oversampling below 1, or columns n that are not -N .. N.
    """

    def __init__(
        self,
        signals: SphereSignals,
        function: Callable[[Tensor], Tensor] = nn.functional.silu,
        oversampling: float = 2.0,
    ) -> None:
        super().__init__()
        self.signals, self.function = signals, function
        self.field_in = self.field_out = signals.field
        self.oversampling = oversampling
        self.transform = oversampled(signals.layout, oversampling)

    def forward(self, x: Tensor) -> Tensor:
        """Features (..., field.dim) to the same."""
        self.field_in.check(x, "SphereActivation")
        samples = self.transform.synthesis(self.signals.coefficients(x))
        return self.signals.join(self.transform.analysis(self.function(samples)))

    def extra_repr(self) -> str:
        return f"{self.signals}, oversampling {self.oversampling:g}"


class SphereProduct(Meaningful, ConstantModule):
    """y^l = f^l + sum over pairs l1, l2 of w C^l (f^l1 (x) f^l2) for every signal and column.

    Exact, without a grid.

    C are the couplings of Clebsch and Gordan. Every channel is multiplied with itself, and of the
    pairs that make a degree only those of a tree are taken (`degree_pairs`); a SphereConv after it
    mixes channels.

    Args:
        signals: type of input and output.
        mixing: "tree" or "full", the pairs of degrees.

    Raises:
        ValueError: another mixing.

    Source: Cobb et al. 2021, arXiv:2010.11661.
    """

    def __init__(self, signals: SphereSignals, mixing: str = "tree") -> None:
        super().__init__()
        self.signals = signals
        self.field_in = self.field_out = signals.field
        degrees_of_pairs: dict[tuple[int, int], list[int]] = {}
        for l in signals.degrees:
            for pair in degree_pairs(signals.layout.max_degree, l, mixing):
                if pair[0] in signals.degrees:
                    degrees_of_pairs.setdefault(pair, []).append(l)
        self.paths = [(*pair, l) for pair, degrees in degrees_of_pairs.items() for l in degrees]
        self._made = degrees_of_pairs
        for (left, right), degrees in degrees_of_pairs.items():
            couplings = torch.cat([real_coupling(left, right, l) for l in degrees], 2)
            self.register_constant(f"_coupling_{left}_{right}", couplings.flatten(0, 1))
        self.weight = nn.Parameter(torch.empty(len(self.paths), signals.channels))
        self.mixing = mixing
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights of variance 1 / the number of pairs that make a degree."""
        number = Counter(l for _, _, l in self.paths)
        deviation = [[number[l] ** -0.5] for _, _, l in self.paths] or [[]]
        with torch.no_grad():
            self.weight.normal_().mul_(self.weight.new_tensor(deviation).reshape(-1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Features (..., field.dim) to the same."""
        self.field_in.check(x, "SphereProduct")
        f = self.signals.blocks(x)
        result, weights = list(f), iter(self.weight)
        for (left, right), targets in self._made.items():
            a, couplings = f[left], getattr(self, f"_coupling_{left}_{right}")
            b = _centred(f[right], a.shape[-2])
            product = (a.unsqueeze(-1) * b.unsqueeze(-2)).flatten(-2) @ couplings
            for l, part in zip(
                targets, product.split([2 * l + 1 for l in targets], -1), strict=True
            ):
                term = next(weights)[:, None, None] * part
                result[l] = result[l] + _centred(term, result[l].shape[-2])
        return self.signals.features(result)

    def meaning(self) -> str:
        return f"{self.signals}, mixing={self.mixing!r}"


def oversampled(layout: Layout, factor: float) -> RingTransform:
    """The transform of a layout on a grid that carries `factor` times as many degrees and orders.

    Raises:
        ValueError: a factor below 1, or columns n that are not -N .. N.
    """
    if factor < 1:
        raise ValueError(
            f"oversampling is at least 1, where the grid carries the signal; got {factor}."
        )
    top = layout.orders[-1]
    grid = SphereGrid.resolving(math.ceil(factor * (layout.max_degree + 1)) - 1)
    if layout.orders == (0,):
        return SphereTransform(layout.max_degree, grid)
    if layout.orders != tuple(range(-top, top + 1)):
        raise ValueError(
            "Signals on the sphere or the rotations have the columns 0 or -N to N; got "
            f"{layout.orders}. Fields of higher spin have norms, gates and products instead."
        )
    return RotationTransform(layout.max_degree, top, grid, 2 * math.ceil(factor * (top + 1)) - 1)


def _centred(block: Tensor, columns: int) -> Tensor:
    """A block (..., column, 2l + 1) with so many columns.

    Keeps the middle columns, or pads with zeros on both sides.
    """
    margin = (columns - block.shape[-2]) // 2
    return nn.functional.pad(block, (0, 0, margin, margin))
