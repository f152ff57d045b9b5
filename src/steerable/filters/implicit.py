"""The implicit filter: a G-equivariant MLP of relative position and attributes."""

from __future__ import annotations

import torch
from torch import Tensor

from ..field import Field, Term, harmonic_field, invariant_field
from ..functions import bessel, polynomial_cutoff, safe_norm, solid_harmonics
from ..groups import Group
from ..layers.constants import ConstantModule
from ..layers.mlp import MLP
from .harmonic import check_cutoff

_BESSEL = 8  # radial functions


class ImplicitFilter(ConstantModule):
    """h(x, a) = u(|x|) MLP(Y(x / sqrt(|x|^2 + s^2)), b(|x|), a) with a MLP that commutes with the group.

    The MLP sees solid harmonics Y of the relative position, squashed into the unit ball so that far points do not
    dominate (smooth everywhere, exactly equivariant), Bessel functions b of the distance, and attributes a of any
    type: scalars, vectors, tensors, of the edge and of both ends. Any such MLP is a steerable kernel, for any
    closed subgroup of O(2) or O(3).

    Args:
        field: the irreps of one channel of the filter, a Field or its text such as `"0e+1o+2e"`.
        cutoff: radius where the polynomial envelope u ends, in the unit of the positions.
        attributes: field of the attributes, in the order [edge, source node, target node].
        channels: number of channels of the filter.
        hidden: number of hidden channels; each holds every irrep of the harmonics, of `field` and of `attributes`.
        layers: number of linear layers.
        max_degree: highest degree of the harmonics that the MLP sees; by default the highest that `field` needs, and at
            least 2 for groups that do not turn every direction into every other.
        activation: `gate`, `norm` or `product`; by default gates where they lose nothing (invariant attributes, a
            group that turns every direction into every other), products elsewhere.

    Source: Zhdanov, Hoffmann, Cesa 2023, arXiv:2212.06096.
    """

    _change: Tensor

    def __init__(
        self,
        field: Field | str,
        cutoff: float,
        attributes: Field | str = "",
        channels: int = 8,
        hidden: int = 8,
        layers: int = 3,
        max_degree: int | None = None,
        activation: str | None = None,
    ) -> None:
        super().__init__()
        group = _group_of(field, attributes)
        self.field, self.attributes = Field.parse(field, group), Field.parse(attributes, group)
        self.channels, self.cutoff = channels, check_cutoff(cutoff)
        self.softening = 0.2 * self.cutoff
        transitive = self.field.group.identity_component == "full"
        needed = max((t.irrep.harmonic.degree for t in self.field), default=0)
        self.max_degree = max(needed, 0 if transitive else 2) if max_degree is None else max_degree
        harmonics, change = harmonic_field(self.field.group, self.max_degree)
        self.register_constant("_change", change.T)
        complete = self.attributes.is_invariant and transitive
        self.mlp = MLP(
            harmonics + invariant_field(self.field.group, _BESSEL) + self.attributes,
            _union(harmonics, self.field, self.attributes),
            hidden,
            self.field * channels,
            layers,
            activation or ("gate" if complete else "product"),
        )

    def forward(self, offset: Tensor, attributes: Tensor | None = None) -> Tensor:
        """Relative positions (edge, d) and attributes (edge, attributes.dim) to (edge, channels, field.dim)."""
        distance = safe_norm(offset)
        square = (offset * offset).sum(-1, keepdim=True)
        squashed = offset * torch.rsqrt(square + self.softening**2)
        inputs = [solid_harmonics(squashed, self.max_degree) @ self._change, bessel(distance, _BESSEL, self.cutoff)]
        attributes = offset[:, :0] if attributes is None else attributes
        self.attributes.check(attributes, "ImplicitFilter", "attributes")
        h = self.mlp(torch.cat([*inputs, attributes], -1)) * polynomial_cutoff(distance, self.cutoff).unsqueeze(-1)
        return h.unflatten(-1, (self.channels, self.field.dim))

    def extra_repr(self) -> str:
        return f"{self.channels} x ({self.field}) of {self.field.group}, cutoff={self.cutoff}"


def _group_of(field: Field | str, attributes: Field | str) -> Group | None:
    """The group of whichever is a Field, so that the other may be text."""
    for given in (field, attributes):
        if isinstance(given, Field):
            return given.group
    return None


def _union(*fields: Field) -> Field:
    """Every irrep of the fields once."""
    found = dict.fromkeys(term.irrep for field in fields for term in field)
    return Field(fields[0].group, tuple(Term(1, irrep) for irrep in found))
