"""Features as samples of signals, and functions of these.

On the circle, the sphere, a finite group or its cosets.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ..constants import ConstantModule
from ..field import Field, Term, harmonic_field
from ..functions import solid_harmonics
from ..groups import Group, Irrep, decompose, quotient, trivial
from .activation import unit_gain


class Signals(ConstantModule):
    """Features as samples of signals, and back.

    x = sum over components of a channel times functions.

    Args:
        parts: the irreps of one channel and their functions, of equal irreps those of every copy:
            (irrep.dim, sample).
        analysis: samples to components (sample, component), in the order of `parts`.
        channels: number of signals.
    """

    _synthesis: Tensor
    _analysis: Tensor

    def __init__(
        self, group: Group, parts: Sequence[tuple[Irrep, Tensor]], channels: int, analysis: Tensor
    ) -> None:
        super().__init__()
        irreps_of_parts = [irrep for irrep, _ in parts]
        irreps = list(dict.fromkeys(irreps_of_parts))
        order = sorted(
            range(len(parts)), key=lambda k: irreps.index(parts[k][0])
        )  # stable: copies stay in order
        self.channels = channels
        self.field = Field(
            group, tuple(Term(irreps_of_parts.count(irrep), irrep) for irrep in irreps)
        )
        self.field_in = self.field_out = Field(
            group, tuple(Term(m * channels, irrep) for m, irrep in self.field)
        )
        columns = analysis.split([irrep.dim for irrep, _ in parts], 1)
        self.register_constant("_synthesis", torch.cat([parts[k][1] for k in order]))
        self.register_constant("_analysis", torch.cat([columns[k] for k in order], 1))

    def samples(self, x: Tensor) -> Tensor:
        """Features (..., field_in.dim) to samples (..., channels, sample)."""
        parts = [
            x[..., place].unflatten(-1, (self.channels, -1)) for place in self.field_in.slices()
        ]
        return torch.cat(parts, -1) @ self._synthesis

    def components(self, samples: Tensor) -> Tensor:
        """Samples (..., channels, sample) to features (..., field_in.dim)."""
        components = samples @ self._analysis
        return torch.cat([components[..., place].flatten(-2) for place in self.field.slices()], -1)


class FourierActivation(ConstantModule):
    """Harmonics to samples, a pointwise function, samples back to harmonics, channel by channel.

    A channel holds the harmonics of degrees 0 to L (restricted to the group): a signal on the unit
    circle or sphere. Copies of an irrep lie together, channel after channel: `field_in` is such as
    8x0+8x1+8x2. For a finite group the samples are orbits of the group, which every element
    permutes, so the layer commutes exactly. For a continuous group the function makes higher
    degrees, which alias into the result: the error under random rotations falls with
    `oversampling`. Measured mean relative error with SiLU, unit-variance signals and SO(3):

        oversampling     1        2        4
        L = 1            3.0e-2   4.0e-4   1.7e-7
        L = 2            1.7e-1   1.4e-3   2.2e-6
        L = 3            1.7e-1   1.7e-3   3.0e-6
        L = 4            2.0e-1   2.1e-3   3.1e-6

    Args:
        group: a closed subgroup of O(2) or O(3).
        max_degree: L.
        channels: number of signals.
        function: applied to every sample.
        oversampling: the grid resolves degree `oversampling` (L + 1) - 1; at least 1.

    Source: de Haan et al. 2021, arXiv:2106.06610; Cesa et al. 2022 (escnn).
    """

    def __init__(
        self,
        group: Group,
        max_degree: int,
        channels: int,
        function: Callable[[Tensor], Tensor] = nn.functional.silu,
        oversampling: float = 2.0,
    ) -> None:
        super().__init__()
        if oversampling < 1:
            raise ValueError(
                "oversampling is at least 1, where the grid resolves the signal; got "
                f"{oversampling}."
            )
        self.function = function
        field, change = harmonic_field(group, max_degree)
        resolved = math.ceil(oversampling * (max_degree + 1)) - 1
        points, weights = _orbits(group, resolved) if group.order else _grid(group.dim, resolved)
        values = solid_harmonics(torch.from_numpy(points), max_degree) @ change.T
        scale = field.dim**0.5
        gram = values.T @ (weights[:, None] * values)
        analysis = torch.linalg.solve(gram, (weights[:, None] * values).T).T * (
            scale * unit_gain(function)
        )
        places = zip(field, field.slices(), strict=True)
        parts = [(term.irrep, values.T[place] / scale) for term, place in places]
        self.signals = Signals(group, parts, channels, analysis)
        self.field_in = self.field_out = self.signals.field_in

    def forward(self, x: Tensor) -> Tensor:
        """Features (..., field_in.dim) to the same."""
        self.field_in.check(x, "FourierActivation")
        return self.signals.components(self.function(self.signals.samples(x)))

    def extra_repr(self) -> str:
        return f"{self.field_in}, {self.field_in.group}"


class CosetActivation(ConstantModule):
    """A pointwise function of signals on a finite group, or on its cosets G / H.

    The function is exactly equivariant.

    A channel holds the irreps of the functions on G / H (all of them, so that nothing is cut off);
    the group permutes the samples. Copies of an irrep lie together, channel after channel:
    `field_in` is such as 8x0+8x1+8x2.

    Args:
        group: G, finite.
        channels: number of signals.
        subgroup: H, by default the trivial one: signals on the group itself.
        function: applied to every sample.
    """

    def __init__(
        self,
        group: Group,
        channels: int,
        subgroup: Group | None = None,
        function: Callable[[Tensor], Tensor] = nn.functional.silu,
    ) -> None:
        super().__init__()
        self.function = function
        parts = decompose(quotient(group, subgroup or trivial(group.dim)))
        functions = [(irrep, torch.from_numpy(basis).T) for irrep, basis in parts]
        analysis = torch.cat([basis for _, basis in functions]).T * unit_gain(function)
        self.signals = Signals(group, functions, channels, analysis)
        self.field_in = self.field_out = self.signals.field_in

    def forward(self, x: Tensor) -> Tensor:
        """Features (..., field_in.dim) to the same."""
        self.field_in.check(x, "CosetActivation")
        return self.signals.components(self.function(self.signals.samples(x)))

    def extra_repr(self) -> str:
        return f"{self.field_in}, {self.field_in.group}"


def _grid(dim: int, degree: int) -> tuple[np.ndarray, Tensor]:
    """Points on the unit circle or sphere, and weights.

    They integrate products of two harmonics up to `degree`.
    """
    turns = 2 * degree + 2
    angle = 2 * np.pi * np.arange(turns) / turns
    if dim == 2:
        return np.stack([np.cos(angle), np.sin(angle)], 1), torch.full(
            (turns,), 1 / turns, dtype=torch.float64
        )
    height, weight = np.polynomial.legendre.leggauss(degree + 1)
    radius = np.sqrt(1 - height**2)
    points = np.stack(
        [
            np.outer(radius, np.cos(angle)),
            np.outer(radius, np.sin(angle)),
            np.outer(height, np.ones(turns)),
        ],
        -1,
    )
    return points.reshape(-1, 3), torch.from_numpy(np.repeat(weight / (2 * turns), turns))


def _orbits(group: Group, degree: int) -> tuple[np.ndarray, Tensor]:
    """Orbits of points in general position, of equal weights.

    There are at least as many as in a grid that resolves `degree`.
    """
    wanted = 2 * degree + 2 if group.dim == 2 else 2 * (degree + 1) ** 2
    k = np.arange(1, math.ceil(wanted / len(group.representatives)) + 1)
    turn, rise = (
        2 * np.pi * (k * 0.5698402910 % 1),
        2 * (k * 0.7548776662 % 1) - 1,
    )  # a low-discrepancy sequence
    radius = np.ones(len(k)) if group.dim == 2 else np.sqrt(1 - rise**2)
    seeds = np.stack([radius * np.cos(turn), radius * np.sin(turn), rise][: group.dim], 1)
    points = np.einsum("gij,nj->gni", group.representatives, seeds).reshape(-1, group.dim)
    return points, torch.full((len(points),), 1 / len(points), dtype=torch.float64)
