"""The implicit filter: a G-equivariant MLP of relative position and attributes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..constants import ConstantModule
from ..field import Field, Term, harmonic_field, invariant_field
from ..functions import solid_harmonics
from ..groups import Group
from ..layers import MLP, Meaningful, reset_children
from ..ops import Edges, shared
from .filter import SharedGeometry, group_of
from .radial import Radial, as_radial, filter_meaning, typical_inputs


class ImplicitFilter(Meaningful, ConstantModule, SharedGeometry):
    """h(x, a) = u(|x|) MLP(Y(x / sqrt(|x|^2 + s^2)), b(|x|), a).

    The MLP commutes with the group.

    The MLP sees solid harmonics Y of the relative position, squashed into the unit ball so that far
    points do not dominate (smooth everywhere, exactly equivariant), functions b of the distance,
    and attributes a of any type: scalars, vectors, tensors, of the edge and of both ends, which may
    be the current features (`attribute_field`). Any such MLP is a steerable kernel, for any closed
    subgroup of O(2) or O(3). At the start h has unit mean square over the ball up to the cutoff.
    Where `is_harmonic`, a HarmonicFilter gives the same kernels for less: `choose_filter` takes it
    there.

    Args:
        field: the irreps of one channel of the filter, a Field or its text such as `"0e+1o+2e"`.
        cutoff: radius where u ends, in the unit of the positions, for 8 Bessel functions b and a
            polynomial u; or a Radial, for others.
        attributes: field of the attributes, in the order [edge, source node, target node].
        channels: number of channels of the filter.
        hidden: field of the hidden layers, or how often it holds every irrep of the harmonics, of
            `field` and of `attributes`.
        layers: number of linear layers.
        max_degree: highest degree of the harmonics that the MLP sees; by default the highest that
            `field` needs, and at least 2 for groups that do not turn every direction into every
            other.
        activation: `gate`, `norm`, `product` or a maker, as MLP takes them; by default gates where
            they lose nothing (`is_harmonic`), products elsewhere.

    Raises:
        FieldMismatchError: fields of different groups.
        ValueError: no channel, no linear layer, or an unknown activation.

    Source: Zhdanov, Hoffmann, Cesa 2023, arXiv:2212.06096.
    """

    _change: Tensor

    def __init__(
        self,
        field: Field | str,
        cutoff: float | Radial,
        attributes: Field | str = "",
        channels: int = 8,
        hidden: int | Field | str = 8,
        layers: int = 3,
        max_degree: int | None = None,
        activation: str | Callable[[Field], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        group = group_of(field, attributes, hidden if isinstance(hidden, Field) else "")
        self.field, self.attributes = Field.parse(field, group), Field.parse(attributes, group)
        self.channels, self.distance = channels, as_radial(cutoff)
        self.softening = 0.2 * self.cutoff
        needed = harmonic_degree(self.field)
        complete = is_harmonic(self.field.group, self.attributes)
        transitive = is_harmonic(self.field.group)
        self.max_degree = max(needed, 0 if transitive else 2) if max_degree is None else max_degree
        harmonics, change = harmonic_field(self.field.group, self.max_degree)
        self.register_constant("_change", change.T)
        every = _union(harmonics, self.field, self.attributes)
        if channels < 1 or (isinstance(hidden, int) and hidden < 1):
            raise ValueError(
                f"An ImplicitFilter has 1 channel or more, hidden and not; got {channels}, "
                f"{hidden}."
            )
        self.mlp = MLP(
            harmonics + invariant_field(self.field.group, self.distance.count) + self.attributes,
            every if isinstance(hidden, int) else Field.parse(hidden, self.field.group),
            hidden if isinstance(hidden, int) else 1,
            self.field * channels,
            layers,
            activation or ("gate" if complete else "product"),
        )
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
        values, envelope = self.distance(offset)
        attributes = values[:, :0] if attributes is None else attributes
        self.attributes.check(attributes, "ImplicitFilter", "attributes")
        key = "squashed_harmonics", self.max_degree, self.softening
        harmonics = shared(offset, key, self._squashed_harmonics) @ self._change
        h = self.mlp(torch.cat([harmonics, values, attributes], -1)) * envelope
        return h.unflatten(-1, (self.channels, self.field.dim))

    def _squashed_harmonics(self, offset: Tensor) -> Tensor:
        """Solid harmonics of relative positions that are squashed into the unit ball."""
        square = (offset * offset).sum(-1, keepdim=True)
        squashed = offset * torch.rsqrt(square + self.softening**2)
        return solid_harmonics(squashed, self.max_degree)

    def reset_parameters(self) -> None:
        """Draw new weights."""
        reset_children(self)
        self._balance()

    @torch.no_grad()
    def _balance(self) -> None:
        """Scale the last layer to unit mean square at the start.

        This holds for every irrep of every channel that is not 0.
        """
        squares = self(*typical_inputs(self.attributes, self.cutoff, self._change)).square().mean(0)
        power = torch.stack(
            [squares[:, place].mean(1) for place in self.field.slices()], 1
        ).flatten()
        self.mlp.scale_output(torch.where(power > 1e-9, power, 1.0).rsqrt())

    def meaning(self) -> str:
        return filter_meaning(self)

    def details(self) -> str:
        return self.distance.details()


def is_harmonic(group: Group, attributes: Field | None = None) -> bool:
    """Whether every steerable kernel is a sum of radial functions times harmonics.

    It is where the group turns every direction into every other and all attributes are invariant: a
    kernel is then known from its values along one ray.
    """
    invariant = attributes is None or attributes.is_invariant
    return group.identity_component == "full" and invariant


def harmonic_degree(field: Field) -> int:
    """The highest degree of harmonics that an irrep of `field` is made from."""
    return max((term.irrep.harmonic.degree for term in field), default=0)


def _union(*fields: Field) -> Field:
    """Every irrep of the fields once."""
    irreps = dict.fromkeys(term.irrep for field in fields for term in field)
    return Field(fields[0].group, tuple(Term(1, irrep) for irrep in irreps))
