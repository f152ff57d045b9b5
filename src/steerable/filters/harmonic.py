"""The classical filter: learned radial functions times harmonics."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from ..constants import ConstantModule
from ..field import Field, harmonic_field
from ..functions import spherical_harmonics
from ..groups import Group
from ..layers import SILU_GAIN, Meaningful, reset_children
from ..ops import Edges, shared
from .filter import SharedGeometry
from .radial import Radial, as_radial, filter_meaning, typical_inputs


class HarmonicFilter(Meaningful, ConstantModule, SharedGeometry):
    """h_k(x, a) = u(|x|) phi_k(b(|x|), a) Y(x / |x|).

    Harmonics Y times a multilayer perceptron phi of invariants.

    phi has no last linear layer: the contraction is one. Each of its weights then is a radial
    function, and this is the complete solution of the kernel constraint where the group moves every
    point of a sphere to every other (O(3), SO(3), O(2), SO(2)). At x = 0 only the invariant part is
    left. In space, `PointConv(engine="frame")` computes it by turning every edge onto one axis. At
    the start h has about unit mean square over the ball up to the cutoff.

    Args:
        max_degree: highest degree of the harmonics.
        cutoff: radius where u ends, in the unit of the positions, for 8 Bessel functions b and a
            polynomial u; or a Radial, for others.
        channels: number of functions phi; None for no perceptron, phi = (b, a).
        attributes: field of edge attributes, invariant.
        hidden: widths of the hidden layers of phi.
        group: O(3) by default; harmonics are restricted to a subgroup.

    Raises:
        ValueError: attributes that are not invariant, or widths below 1.

    Source: Thomas et al. 2018, arXiv:1802.08219.
    """

    _change: Tensor

    def __init__(
        self,
        max_degree: int,
        cutoff: float | Radial,
        channels: int | None = 16,
        attributes: Field | str = "",
        hidden: Sequence[int] = (32,),
        group: Group | None = None,
    ) -> None:
        super().__init__()
        self.attributes = Field.parse(attributes, group)
        if not self.attributes.is_invariant:
            raise ValueError(
                f"A HarmonicFilter takes invariant attributes; got {self.attributes}. Use "
                "ImplicitFilter for others."
            )
        self.field, change = harmonic_field(self.attributes.group, max_degree)
        self.register_constant("_change", change.T)
        self._is_changed = not torch.equal(change, torch.eye(len(change), dtype=change.dtype))
        self.distance = as_radial(cutoff)
        inputs = self.distance.count + self.attributes.dim
        self.max_degree, self.channels = max_degree, inputs if channels is None else channels
        self.phi = None if channels is None else _perceptron([inputs, *hidden, channels])
        self._balance()

    @property
    def cutoff(self) -> float:
        """The radius where the envelope ends."""
        return self.distance.cutoff

    def forward(self, offset: Tensor | Edges, attributes: Tensor | None = None) -> Tensor:
        """Relative positions (edge, d) and attributes to (edge, channels, field.dim).

        The attributes are (edge, attributes.dim). Functions of the positions alone are shared with
        other filters where `ops.Edges` take the place of relative positions.
        """
        return self.radial(offset, attributes).unsqueeze(2) * self.harmonics(offset).unsqueeze(1)

    def radial(self, offset: Tensor | Edges, attributes: Tensor | None = None) -> Tensor:
        """The invariant functions u phi (edge, channels)."""
        values, envelope = self.distance(offset)
        if attributes is not None or self.attributes.dim:
            attributes = values[:, :0] if attributes is None else attributes
            self.attributes.check(attributes, "HarmonicFilter", "attributes")
            values = torch.cat([values, attributes], -1)
        if self.phi is None:
            return values * envelope
        radial: Tensor = self.phi(values)
        return radial * (SILU_GAIN * envelope)

    def harmonics(self, offset: Tensor | Edges) -> Tensor:
        """Y (edge, field.dim), of unit mean square."""
        degree = self.max_degree
        key = "spherical_harmonics", degree
        harmonics = shared(offset, key, lambda x: spherical_harmonics(x, degree))
        return harmonics @ self._change if self._is_changed else harmonics

    def reset_parameters(self) -> None:
        """Draw new weights."""
        reset_children(self)
        self._balance()

    @torch.no_grad()
    def _balance(self) -> None:
        """Scale the weights so that what enters every SiLU begins with unit mean square.

        The mean is weighted by u^2.
        """
        offset, x = typical_inputs(self.attributes, self.cutoff, self._change)
        values, envelope = self.distance(offset)
        share, x = envelope.square() / envelope.square().sum(), torch.cat([values, x], -1)
        for module in self.phi or ():
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)
                module.weight /= (share * module(x).square()).sum(0).sqrt().unsqueeze(1)
            x = module(x)

    def meaning(self) -> str:
        return filter_meaning(self)

    def details(self) -> str:
        return self.distance.details()


def _perceptron(widths: Sequence[int]) -> nn.Sequential:
    if min(widths) < 1:
        raise ValueError(f"The widths of a HarmonicFilter are at least 1; got {tuple(widths)}.")
    layers = [(nn.Linear(inputs, outputs), nn.SiLU()) for inputs, outputs in pairwise(widths)]
    return nn.Sequential(*(module for layer in layers for module in layer))
