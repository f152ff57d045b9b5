"""Forces of any kind that commute with a group, by point convolutions with implicit filters."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..convs.points.point_conv import PointConv
from ..field import harmonic_field, invariant_field
from ..filters import HarmonicFilter, Radial
from ..groups import Group, Harmonic, intertwiners
from ..layers.constants import ConstantModule
from .forces import Particles

TRANSLATIONS = ("all", "plane", "none")

_SOFTENING = 0.1  # of distances, in the unit of the positions
_REACH = 3.0  # distances usually are below this


class MessageForces(ConstantModule):
    """Nonlinear messages: y_i = sum over j of K(x_ij, v_i, v_j, m_i, m_j, a_ij) (1, v_j), from y_i forces and memory.

    The filter of the convolution sees all invariants of the relative position and of the velocities of both ends, and
    the memory m of both, which begins with the attributes. From the invariant part of y each particle renews its
    memory; the other part, with what its memory makes of its own velocity, is its acceleration.

    Args:
        group: acts on positions and velocities.
        attributes: number of attributes of a particle, such as its charge.
        pair_attributes: number of attributes of a pair.
        hidden: size of the memory, and width of all perceptrons.
        translations: which moves of all particles together leave their forces alone: `all`; those in the `plane` that
            the group turns about its axis; or `none`. Where not all do, places are seen beside velocities.
        neighbours: how many others usually act on a particle.

    Raises:
        ValueError: translations that do not exist.

    Source: filters that see both ends as in Zhdanov, Hoffmann, Cesa 2023, arXiv:2212.06096.
    """

    _held: Tensor
    _change: Tensor

    def __init__(
        self,
        group: Group,
        attributes: int = 1,
        pair_attributes: int = 0,
        hidden: int = 32,
        translations: str = "all",
        neighbours: float = 4.0,
    ) -> None:
        super().__init__()
        self.hidden, self.invariants = hidden, VectorInvariants(group)
        self.register_constant("_held", self.invariants.held(translations))
        self.own = 1 if translations == "all" else 2
        harmonics, change = harmonic_field(group, 1)
        vector = harmonics[1:]
        self.register_constant("_change", change[1:, 1:].T)
        seen = self.invariants.count(1 + 2 * self.own) + pair_attributes + 2 * hidden
        filter = _MessageFilter(group, seen, hidden)
        invariant = invariant_field(group, 1)
        field_out = invariant * hidden + vector
        self.conv = PointConv(invariant + vector * self.own, field_out, filter, neighbours=neighbours, recompute=False)
        self.embed = nn.Linear(attributes, hidden)
        inputs = 2 * hidden + self.invariants.count(self.own)
        self.renew = nn.Sequential(nn.Linear(inputs, hidden), nn.SiLU(), nn.Linear(hidden, hidden))
        self.steer = nn.Linear(hidden, self.invariants.makers(self.own))

    def begin(self, particles: Particles) -> Tensor:
        """The memory (node, hidden) that the attributes make."""
        memory: Tensor = self.embed(particles.attributes)
        return memory

    def forward(self, x: Tensor, v: Tensor, memory: Tensor, particles: Particles) -> tuple[Tensor, Tensor]:
        """Positions and velocities (node, d) to accelerations (node, d) and the new memory."""
        own = v.unsqueeze(1) if self.own == 1 else torch.stack([v, x @ self._held], 1)
        edges = torch.cat([particles.pairs, particles.pairs.flip(0)], 1)
        relations = torch.cat([self._relations(x, own, edges), particles.pair_attributes.repeat(2, 1)], -1)
        features = torch.cat([x.new_ones(len(x), 1), (own @ self._change).flatten(1)], -1)
        heard, force = self.conv(features, x, edges, relations, memory).split([self.hidden, x.shape[1]], 1)
        news = torch.cat([memory, torch.asinh(heard), self.invariants(own)], -1)
        memory = memory + self.renew(news)
        return force @ self._change.T + self.invariants.make(self.steer(memory), own), memory

    def _relations(self, x: Tensor, own: Tensor, edges: Tensor) -> Tensor:
        """Invariants of direction, velocities and places of both ends (edge, invariant)."""
        source, target = edges
        offset = x.index_select(0, source) - x.index_select(0, target)
        direction = offset * torch.rsqrt((offset * offset).sum(-1, keepdim=True) + _SOFTENING**2)
        ends = own.index_select(0, source), own.index_select(0, target)
        return self.invariants(torch.cat([direction.unsqueeze(1), *ends], 1))


class VectorInvariants(ConstantModule):
    """asinh of u . f and u . B u' for all vectors u, u' of a point: linear and quadratic invariants under a group.

    f are the vectors that the group leaves alone and B the matrices that commute with it, both from the solver. asinh
    is odd and smooth, about the same as its argument up to 1 and a logarithm beyond.

    Args:
        group: acts on the vectors.
    """

    _fixed: Tensor
    _commuting: Tensor

    def __init__(self, group: Group) -> None:
        super().__init__()
        vector = Harmonic(group, 1, -1)
        fixed = intertwiners(Harmonic(group, 0, 1), vector)[:, :, 0]
        self.group = group
        self.register_constant("_fixed", torch.tensor(fixed))
        self.register_constant("_commuting", torch.tensor(intertwiners(vector, vector)))

    def forward(self, vectors: Tensor) -> Tensor:
        """Vectors (point, vector, d) to (point, count(vectors))."""
        linear = (vectors @ self._fixed.T).flatten(1)
        products = (vectors.unsqueeze(1) @ self._commuting) @ vectors.mT.unsqueeze(1)
        first, second = torch.triu_indices(vectors.shape[1], vectors.shape[1], device=vectors.device)
        return torch.asinh(torch.cat([linear, products[:, :, first, second].flatten(1)], -1))

    def count(self, vectors: int) -> int:
        """The number of invariants of so many vectors."""
        return len(self._fixed) * vectors + len(self._commuting) * (vectors * (vectors + 1) // 2)

    def makers(self, vectors: int) -> int:
        """The number of ways to make a vector from so many."""
        return len(self._fixed) + len(self._commuting) * vectors

    def make(self, factors: Tensor, vectors: Tensor) -> Tensor:
        """Sums (point, d) of c f and c B u with factors c (point, makers(vectors)), vectors u (point, vector, d)."""
        own = torch.einsum("kde,nue->nkud", self._commuting, vectors).flatten(1, 2)
        fixed = self._fixed.expand(len(vectors), -1, -1)
        return (factors.unsqueeze(1) @ torch.cat([fixed, own], 1)).squeeze(1)

    def held(self, translations: str) -> Tensor:
        """The projection (d, d), float64, on the directions in which moving all particles changes their forces.

        Raises:
            ValueError: `translations` is none of `TRANSLATIONS`, or the group has no plane.
        """
        whole = torch.eye(self.group.dim, dtype=torch.float64)
        axis = self.group.axis
        if translations == "plane" and axis is not None:
            return torch.outer(torch.from_numpy(axis), torch.from_numpy(axis))
        if translations in ("all", "none"):
            return whole if translations == "none" else 0 * whole
        choices = TRANSLATIONS if axis is not None else ("all", "none")
        raise ValueError(f"translations under {self.group} are one of {', '.join(choices)}; got {translations!r}.")


class _MessageFilter(ConstantModule):
    """h = (phi, phi / rho^2) Y(x / |x|) with a perceptron phi of rho = sqrt(|x|^2 + s^2) and of invariants.

    Forces grow without bound where particles meet, and what a perceptron gives does not.
    """

    _change: Tensor

    def __init__(self, group: Group, attributes: int, hidden: int) -> None:
        super().__init__()
        self.attributes = invariant_field(group, attributes)
        basis = Radial(_REACH, _multipoles, 3, "none")
        self.messages = HarmonicFilter(1, basis, hidden, self.attributes, (hidden,))
        self.field, self.channels = self.messages.field, 2 * hidden

    def forward(self, offset: Tensor, attributes: Tensor | None = None) -> Tensor:
        return self.radial(offset, attributes).unsqueeze(2) * self.harmonics(offset).unsqueeze(1)

    def radial(self, offset: Tensor, attributes: Tensor | None = None) -> Tensor:
        phi = self.messages.radial(offset, attributes)
        return torch.cat([phi, phi / ((offset * offset).sum(-1, keepdim=True) + _SOFTENING**2)], -1)

    def harmonics(self, offset: Tensor) -> Tensor:
        return self.messages.harmonics(offset)


def _multipoles(distance: Tensor) -> Tensor:
    """rho, log rho and s / rho (edge, 3): potentials and forces of fields, and what joins them."""
    rho = torch.sqrt(distance * distance + _SOFTENING**2)
    return torch.stack([rho, rho.log(), _SOFTENING / rho], -1)
