"""The classical filter: learned radial functions times harmonics."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..field import Field, harmonic_field
from ..functions import bessel, polynomial_cutoff, safe_norm, spherical_harmonics
from ..groups import Group
from ..layers.constants import ConstantModule


class HarmonicFilter(ConstantModule):
    """h_c,l(x) = u(|x|) R_c,l(|x|, a) Y_l(x / |x|), with a multilayer perceptron R of a Bessel basis and invariants a.

    The complete solution of the kernel constraint where the group moves every point of a sphere to every other
    (O(3), SO(3), O(2), SO(2)). At x = 0 only the invariant part is left.

    Args:
        max_degree: highest degree of the harmonics.
        cutoff: radius where the polynomial envelope u ends, in the unit of the positions.
        channels: number of radial functions per degree.
        attributes: field of edge attributes, invariant.
        hidden: width of the perceptron.
        radial: number of Bessel functions.
        group: O(3) by default; harmonics are restricted to a subgroup.

    Source: Thomas et al. 2018, arXiv:1802.08219.
    """

    _spread: Tensor
    _change: Tensor

    def __init__(
        self,
        max_degree: int,
        cutoff: float,
        channels: int = 8,
        attributes: Field | str = "",
        hidden: int = 32,
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
        self.cutoff, self.radial = check_cutoff(cutoff), radial
        dim = self.attributes.group.dim
        sizes = [2 * l + 1 if dim == 3 else min(l + 1, 2) for l in range(max_degree + 1)]
        degree = torch.arange(max_degree + 1).repeat_interleave(torch.tensor(sizes))
        spread = nn.functional.one_hot(degree, max_degree + 1).T.to(torch.float64)
        self.register_constant("_spread", spread)
        self.register_constant("_change", change.T)
        self.radial_mlp = nn.Sequential(
            nn.Linear(radial + self.attributes.dim, hidden),
            nn.SiLU(),
            nn.Linear(hidden, hidden),
            nn.SiLU(),
            nn.Linear(hidden, channels * (max_degree + 1)),
        )

    def forward(self, offset: Tensor, attributes: Tensor | None = None) -> Tensor:
        """Relative positions (edge, d) and attributes (edge, attributes.dim) to (edge, channels, field.dim)."""
        distance = safe_norm(offset)
        attributes = offset[:, :0] if attributes is None else attributes
        self.attributes.check(attributes, "HarmonicFilter", "attributes")
        inputs = torch.cat([bessel(distance, self.radial, self.cutoff), attributes], -1)
        profile = self.radial_mlp(inputs).unflatten(-1, (self.channels, self.max_degree + 1))
        profile = profile * polynomial_cutoff(distance, self.cutoff)[:, None, None]
        harmonics = spherical_harmonics(offset, self.max_degree)
        return ((profile @ self._spread) * harmonics.unsqueeze(1)) @ self._change


def check_cutoff(cutoff: float) -> float:
    """`cutoff` if it is positive and finite.

    Raises:
        ValueError: it is not.
    """
    if not 0 < cutoff < float("inf"):
        raise ValueError(f"A filter's cutoff is positive and finite, in the unit of the positions; got {cutoff}.")
    return float(cutoff)
