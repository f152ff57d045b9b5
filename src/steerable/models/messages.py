"""Forces of any kind that commute with a group, by point convolutions with implicit filters."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from ..constants import ConstantModule
from ..convs import NeighbourConv
from ..field import harmonic_field, invariant_field
from ..filters import HarmonicFilter, Radial
from ..groups import O2, O3, Group, Harmonic, group_label, intertwiners
from ..layers import Meaningful
from ..ops import Edges
from .forces import Particles

TRANSLATIONS = ("all", "plane", "none")

_SOFTENING = 0.1  # of distances, in the unit of the positions
_REACH = 3.0  # distances usually are below this
_HEARD = 2  # vectors in the result of the convolution


class MessageForces(Meaningful, ConstantModule):
    """Nonlinear messages from positions, velocities, memory and attributes.

    y_i = sum over j of K(x_ij, v_i, v_j, m_i, m_j, a_ij) (1, v_j), from y_i forces and memory.

    The filter of the convolution sees all invariants of the relative position and of the velocities
    of both ends, and the memory m of both, which begins with the attributes. From the invariant
    part of y each particle renews its memory. The other part, two vectors, and what the memory
    makes of them and of the velocity are the acceleration.

    What the group allows of vectors and all of O(d) does not, such as their parts along an axis,
    comes in by linear maps that are 0 at the start: forces begin with the larger symmetry, and
    break it as far as the motion asks for.

    Args:
        group: acts on positions and velocities.
        attributes: number of attributes of a particle, such as its charge.
        pair_attributes: number of attributes of a pair.
        hidden: size of the memory, and width of all perceptrons.
        translations: which moves of all particles together leave their forces alone: `all`; those
            in the `plane` that the group turns about its axis; or `none`. Where not all do, places
            are seen beside velocities.
        neighbours: how many others usually act on a particle.

    Raises:
        ValueError: translations that do not exist.

    Source: filters that see both ends as in Zhdanov, Hoffmann, Cesa 2023, arXiv:2212.06096; a
    symmetry that is broken
        where data ask for it as in Finzi, Benton, Wilson 2021, arXiv:2112.01388.
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
        self.hidden, self.group, self.translations = hidden, group, translations
        self.register_constant("_held", held(group, translations))
        self.own = 1 if translations == "all" else 2
        self.relation = VectorInvariants(group, 1 + 2 * self.own)
        self.state = VectorInvariants(group, self.own)
        larger = group if not self.state.breaking else O3() if group.dim == 3 else O2()
        harmonics, change = harmonic_field(larger, 1)
        vector = harmonics[1:]
        self.register_constant("_change", change[1:, 1:].T)
        relations = self.relation.count + pair_attributes + 2 * hidden
        filter = _MessageFilter(larger, relations, self.relation.breaking, hidden)
        invariant = invariant_field(larger, 1)
        field_in, field_out = invariant + vector * self.own, invariant * hidden + vector * _HEARD
        self.conv = NeighbourConv(
            field_in, field_out, filter, neighbours=neighbours, recompute=False
        )
        self.embed = nn.Linear(attributes, hidden)
        inputs = self.state.count + 2 * hidden
        self.renew = nn.Sequential(
            _Corrected(inputs, self.state.breaking),
            nn.Linear(inputs - self.state.breaking, hidden), nn.SiLU(), nn.Linear(hidden, hidden),
        )  # fmt: skip
        self.steer = VectorMaker(group, self.own + _HEARD, hidden)

    def begin(self, particles: Particles) -> Tensor:
        """The memory (node, hidden) that the attributes make."""
        memory: Tensor = self.embed(particles.attributes)
        return memory

    def forward(
        self, x: Tensor, v: Tensor, memory: Tensor, particles: Particles
    ) -> tuple[Tensor, Tensor]:
        """Positions and velocities (node, d) to accelerations (node, d) and the new memory."""
        vectors = v.unsqueeze(1) if self.own == 1 else torch.stack([v, x @ self._held], 1)
        edges = Edges.between(x, torch.cat([particles.pairs, particles.pairs.flip(0)], 1))
        relations = torch.cat(
            [self._relations(vectors, edges), particles.pair_attributes.repeat(2, 1)], -1
        )
        features = torch.cat([x.new_ones(x.shape[0], 1), (vectors @ self._change).flatten(1)], -1)
        y: Tensor = self.conv(features, edges, relations, memory)
        heard = y[:, self.hidden :].unflatten(1, (_HEARD, -1)) @ self._change.T
        memory = memory + self.renew(
            torch.cat([self.state(vectors), memory, torch.asinh(y[:, : self.hidden])], -1)
        )
        return heard[:, 0] + self.steer(memory, torch.cat([heard, vectors], 1)), memory

    def meaning(self) -> str:
        return f"{group_label(self.group)}, translations={self.translations}"

    def _relations(self, vectors: Tensor, edges: Edges) -> Tensor:
        """Invariants of direction, velocities and places of both ends (edge, invariant)."""
        (source, target), offset = edges.index, edges.offset
        direction = offset * torch.rsqrt((offset * offset).sum(-1, keepdim=True) + _SOFTENING**2)
        ends = vectors.index_select(0, source), vectors.index_select(0, target)
        invariants: Tensor = self.relation(torch.cat([direction.unsqueeze(1), *ends], 1))
        return invariants


class VectorInvariants(ConstantModule):
    """asinh of u . f and u . B u', and at last of u . u', for all vectors u, u' of a point.

    f are the vectors that the group leaves alone, and 1 and B the matrices that commute with it,
    all of norm 1. asinh is odd and smooth, about the same as its argument up to 1 and a logarithm
    beyond.

    Args:
        group: acts on the vectors.
        vectors: how many there are.

    Attributes:
        count: number of invariants.
        breaking: how many of them, the first, are not invariant under all of O(d).
    """

    _fixed: Tensor
    _matrices: Tensor
    _pairs: Tensor

    def __init__(self, group: Group, vectors: int) -> None:
        super().__init__()
        fixed, broken = _fixed_and_broken(group)
        whole = torch.eye(group.dim, dtype=torch.float64).unsqueeze(0) * group.dim**-0.5
        self.register_constant("_fixed", fixed)
        self.register_constant("_matrices", torch.cat([broken, whole]))
        self.register_constant("_pairs", torch.triu_indices(vectors, vectors))
        products = vectors * (vectors + 1) // 2
        self.breaking = len(fixed) * vectors + len(broken) * products
        self.count = self.breaking + products

    def forward(self, vectors: Tensor) -> Tensor:
        """Vectors (point, vector, d) to (point, count)."""
        first, second = self._pairs
        linear = (vectors @ self._fixed.T).flatten(1)
        products = (vectors.unsqueeze(1) @ self._matrices) @ vectors.mT.unsqueeze(1)
        return torch.asinh(torch.cat([linear, products[:, :, first, second].flatten(1)], -1))


class VectorMaker(ConstantModule):
    """Sums of c u over all vectors u of a point, and of c f and c B u.

    The factors c are linear in its state.

    All are 0 at the start; f and B as in `VectorInvariants`.

    Args:
        group: acts on the vectors.
        vectors: how many there are.
        state: numbers in the state.
    """

    _fixed: Tensor
    _broken: Tensor

    def __init__(self, group: Group, vectors: int, state: int) -> None:
        super().__init__()
        fixed, broken = _fixed_and_broken(group)
        self.register_constant("_fixed", fixed)
        self.register_constant("_broken", broken)
        self.factors = nn.Linear(state, len(fixed) + (len(broken) + 1) * vectors)
        nn.init.zeros_(self.factors.weight)
        nn.init.zeros_(self.factors.bias)

    def forward(self, state: Tensor, vectors: Tensor) -> Tensor:
        """States (point, state) and vectors (point, vector, d) to (point, d)."""
        fixed = self._fixed.expand(vectors.shape[0], -1, -1)
        turned = torch.einsum("kde,nue->nkud", self._broken, vectors).flatten(1, 2)
        ways = torch.cat([fixed, turned, vectors], 1)
        combination: Tensor = (self.factors(state).unsqueeze(1) @ ways).squeeze(1)
        return combination


class _Corrected(nn.Module):
    """x + W b of numbers (row, count), with W = 0 at the start.

    The first numbers are b and the others x.
    """

    def __init__(self, count: int, breaking: int) -> None:
        super().__init__()
        self.breaking = nn.Parameter(torch.zeros(breaking, count - breaking)) if breaking else None

    def forward(self, numbers: Tensor) -> Tensor:
        if self.breaking is None:
            return numbers
        b, x = numbers.tensor_split([len(self.breaking)], 1)
        return x + b @ self.breaking


def _fixed_and_broken(group: Group) -> tuple[Tensor, Tensor]:
    """Vectors (n, d) that the group leaves alone.

    Returned with matrices (n, d, d) that, with 1, span those that commute with the group.
    """
    vector = Harmonic(group, 1, -1)
    fixed = intertwiners(Harmonic(group, 0, 1), vector)[:, :, 0]
    commuting = intertwiners(vector, vector)
    columns = np.concatenate([np.eye(group.dim)[None], commuting]).reshape(len(commuting) + 1, -1).T
    directions, amounts = np.linalg.qr(columns)
    independent = np.abs(np.diag(amounts)) > 1e-6  # all but the one in the span of those before it
    independent[0] = False  # 1 itself
    return torch.tensor(fixed), torch.tensor(
        directions.T[independent].reshape(-1, group.dim, group.dim)
    )


def held(group: Group, translations: str) -> Tensor:
    """The projection (d, d), float64, on directions that matter to forces.

    In these, moving all particles changes their forces.

    Raises:
        ValueError: `translations` is none of `TRANSLATIONS`, or the group has no plane.
    """
    whole = torch.eye(group.dim, dtype=torch.float64)
    axis = group.axis
    if translations == "plane" and axis is not None:
        return torch.outer(torch.from_numpy(axis), torch.from_numpy(axis))
    if translations in ("all", "none"):
        return whole if translations == "none" else 0 * whole
    choices = TRANSLATIONS if axis is not None else ("all", "none")
    raise ValueError(
        f"translations under {group} are one of {', '.join(choices)}; got {translations!r}."
    )


class _MessageFilter(ConstantModule):
    """h = (phi, phi / rho^2) Y(x / |x|) with a perceptron phi.

    phi is one of rho = sqrt(|x|^2 + s^2) and of invariants.

    Forces grow without bound where particles meet, and what a perceptron gives does not.
    """

    _change: Tensor

    def __init__(self, group: Group, attributes: int, breaking: int, hidden: int) -> None:
        super().__init__()
        self.attributes = invariant_field(group, attributes)
        reduced = invariant_field(group, attributes - breaking)
        basis = Radial(_REACH, _multipoles, 3, "none")
        self.corrected = _Corrected(attributes, breaking)
        self.messages = HarmonicFilter(1, basis, hidden, reduced, (hidden,))
        self.field, self.channels = self.messages.field, 2 * hidden

    def forward(self, offset: Tensor, attributes: Tensor | None = None) -> Tensor:
        return self.radial(offset, attributes).unsqueeze(2) * self.harmonics(offset).unsqueeze(1)

    def radial(self, offset: Tensor, attributes: Tensor | None = None) -> Tensor:
        phi = self.messages.radial(
            offset, None if attributes is None else self.corrected(attributes)
        )
        return torch.cat([phi, phi / ((offset * offset).sum(-1, keepdim=True) + _SOFTENING**2)], -1)

    def harmonics(self, offset: Tensor) -> Tensor:
        return self.messages.harmonics(offset)


def _multipoles(distance: Tensor) -> Tensor:
    """rho, log rho and s / rho (edge, 3): potentials and forces of fields, and what joins them."""
    rho = torch.sqrt(distance * distance + _SOFTENING**2)
    return torch.stack([rho, rho.log(), _SOFTENING / rho], -1)
