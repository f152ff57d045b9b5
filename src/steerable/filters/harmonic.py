"""The classical filter: learned radial functions times harmonics."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..field import Field, harmonic_field
from ..functions import bessel, polynomial_cutoff, safe_norm, spherical_harmonics
from ..groups import Group
from ..layers.constants import ConstantModule


class HarmonicFilter(ConstantModule):
    """h_k(x, a) = u(|x|) phi_k(b(|x|), a) Y(x / |x|): harmonics Y times a multilayer perceptron phi of invariants.

    phi has no last linear layer: the contraction is one. Each of its weights then is a radial function, and this is the
    complete solution of the kernel constraint where the group moves every point of a sphere to every other (O(3),
    SO(3), O(2), SO(2)). At x = 0 only the invariant part is left.

    Args:
        max_degree: highest degree of the harmonics.
        cutoff: radius where the polynomial envelope u ends, in the unit of the positions.
        channels: number of radial functions phi.
        attributes: field of edge attributes, invariant.
        hidden: widths of the hidden layers of phi.
        radial: number of Bessel functions b.
        group: O(3) by default; harmonics are restricted to a subgroup.

    Source: Thomas et al. 2018, arXiv:1802.08219.
    """

    _change: Tensor

    def __init__(
        self,
        max_degree: int,
        cutoff: float,
        channels: int = 16,
        attributes: Field | str = "",
        hidden: Sequence[int] = (32,),
        radial: int = 8,
        group: Group | None = None,
    ) -> None:
        super().__init__()
        self.attributes = Field.parse(attributes, group)
        if not self.attributes.is_invariant:
            raise ValueError(
                f"A HarmonicFilter takes invariant attributes; got {self.attributes}. Use ImplicitFilter for others."
            )
        self.field, change = harmonic_field(self.attributes.group, max_degree)
        self.max_degree, self.channels = max_degree, channels
        self.cutoff, self.basis = check_cutoff(cutoff), radial
        self.register_constant("_change", change.T)
        widths = [radial + self.attributes.dim, *hidden, channels]
        steps = [(nn.Linear(a, b), nn.SiLU()) for a, b in zip(widths, widths[1:], strict=False)]
        self.phi = nn.Sequential(*(module for step in steps for module in step))

    def forward(self, offset: Tensor, attributes: Tensor | None = None) -> Tensor:
        """Relative positions (edge, d) and attributes (edge, attributes.dim) to (edge, channels, field.dim)."""
        return self.radial(offset, attributes).unsqueeze(2) * self.harmonics(offset).unsqueeze(1)

    def radial(self, offset: Tensor, attributes: Tensor | None = None) -> Tensor:
        """u phi (edge, channels)."""
        distance = safe_norm(offset)
        attributes = offset[:, :0] if attributes is None else attributes
        self.attributes.check(attributes, "HarmonicFilter", "attributes")
        found: Tensor = self.phi(torch.cat([bessel(distance, self.basis, self.cutoff), attributes], -1))
        return found * polynomial_cutoff(distance, self.cutoff).unsqueeze(-1)

    def harmonics(self, offset: Tensor) -> Tensor:
        """Y (edge, field.dim), of unit mean square."""
        return spherical_harmonics(offset, self.max_degree) @ self._change

    def extra_repr(self) -> str:
        return f"{self.channels} x ({self.field}) of {self.field.group}, cutoff={self.cutoff}"


def check_cutoff(cutoff: float) -> float:
    """`cutoff` if it is positive and finite.

    Raises:
        ValueError: it is not.
    """
    if not 0 < cutoff < float("inf"):
        raise ValueError(f"A filter's cutoff is positive and finite, in the unit of the positions; got {cutoff}.")
    return float(cutoff)
