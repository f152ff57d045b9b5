"""Forces between pairs of particles that conserve momentum."""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from ..groups import Group
from ..layers import Meaningful

_LIGHT = -16.0  # logarithm of masses at the start, so that particles begin to fly free
_DECADES = 8.0  # masses differ by powers of ten, so that their logarithms have far to go


class Particles(NamedTuple):
    """What stays the same while particles move.

    Args:
        attributes: of each particle, invariant (node, attribute).
        pairs: numbers of the particles that act on each other, each pair once (2, pair).
        pair_attributes: of each pair, the same seen from both ends (pair, attribute).
    """

    attributes: Tensor
    pairs: Tensor
    pair_attributes: Tensor


class Forces(Protocol):
    """Learned accelerations, with a memory that lasts from one step of time to the next."""

    def begin(self, particles: Particles) -> Tensor:
        """The memory before the first step."""
        ...

    def __call__(
        self, x: Tensor, v: Tensor, memory: Tensor, particles: Particles
    ) -> tuple[Tensor, Tensor]:
        """Positions and velocities (node, d) to accelerations (node, d).

        Returned with the memory for the next step.
        """
        ...


@runtime_checkable
class Symmetric(Protocol):
    """Forces of another symmetry than O(3) and all translations.

    Attributes:
        group: acts on positions and velocities.
        translations: those that leave the forces alone: `all`, `plane` or `none`.
    """

    group: Group
    translations: str


@runtime_checkable
class Weighing(Protocol):
    """Forces that learn masses."""

    def masses(self, attributes: Tensor) -> Tensor:
        """Attributes (node, attribute) to masses (node, 1)."""
        ...


class PairForces(Meaningful):
    """a_i = sum over j of phi(rho_ij, s_ij) (x_i - x_j) / rho_ij^3, for masses of 1.

    Here rho^2 = |x_i - x_j|^2 + s^2.

    phi is a multilayer perceptron of log rho and s / rho, the softening s is learned, and s_ij =
    psi(a_i, a_j, a_ij) + psi(a_j, a_i, a_ij) is a symmetric function of the attributes with another
    perceptron psi. So the forces of a pair are opposite, every pair is computed once, momentum and
    angular momentum are conserved, and there is a potential: steps of leapfrog with these forces
    are symplectic.

    Args:
        attributes: number of attributes of a particle, such as its charge.
        pair_attributes: number of attributes of a pair.
        hidden: width of both perceptrons.
        softening: s at the start, in the unit of the positions.
        strength: unit of phi, about the accelerations at distance 1.
    """

    def __init__(
        self,
        attributes: int = 1,
        pair_attributes: int = 0,
        hidden: int = 32,
        softening: float = 0.05,
        strength: float = 1.0,
    ) -> None:
        super().__init__()
        self.attributes, self.pair_attributes = attributes, pair_attributes
        self.law = _Law(hidden, softening, strength)
        inputs = 2 * attributes + pair_attributes
        self.psi = nn.Sequential(nn.Linear(inputs, hidden), nn.SiLU(), nn.Linear(hidden, hidden))

    def begin(self, particles: Particles) -> Tensor:
        """s_ij of every pair (pair, hidden); it never changes."""
        first, second = particles.pairs
        i = particles.attributes.index_select(0, first)
        j = particles.attributes.index_select(0, second)
        one = self.psi(torch.cat([i, j, particles.pair_attributes], -1))
        other = self.psi(torch.cat([j, i, particles.pair_attributes], -1))
        result: Tensor = one + other
        return result

    def forward(
        self, x: Tensor, v: Tensor, memory: Tensor, particles: Particles
    ) -> tuple[Tensor, Tensor]:
        """Positions (node, d) to accelerations (node, d)."""
        first, second = particles.pairs
        offset = x.index_select(0, first) - x.index_select(0, second)
        force = self.law(offset, memory)
        return torch.zeros_like(x).index_add(0, first, force).index_add(0, second, -force), memory

    def meaning(self) -> str:
        return (
            f"attributes={self.attributes}, pair_attributes={self.pair_attributes}, "
            f"strength={self.law.strength}"
        )


class Gravitation(Meaningful):
    """a_i = sum over j of m_j phi(rho_ij) (x_i - x_j) / rho_ij^3 with learned masses.

    The masses are m = exp(8 w . attributes).

    The law phi is the same for all pairs, and inertia is the mass that attracts. The total
    momentum, sum m_i v_i, is conserved. Masses are learned up to a common factor, which the law can
    take over.

    Args:
        attributes: number of attributes of a particle; with one for each body, every body has a
            mass of its own.
        hidden: width of the perceptron.
        softening: s at the start, in the unit of the positions.
        strength: unit of phi, about the accelerations at distance 1 from the largest mass.
    """

    def __init__(
        self, attributes: int = 1, hidden: int = 32, softening: float = 0.05, strength: float = 1.0
    ) -> None:
        super().__init__()
        self.law = _Law(hidden, softening, strength)
        self.log_mass = nn.Linear(attributes, 1, bias=False)
        nn.init.constant_(self.log_mass.weight, _LIGHT / _DECADES)

    def begin(self, particles: Particles) -> Tensor:
        """The masses (node, 1); they never change."""
        return self.masses(particles.attributes)

    def masses(self, attributes: Tensor) -> Tensor:
        """Attributes (node, attribute) to masses (node, 1)."""
        return torch.exp(_DECADES * self.log_mass(attributes))

    def forward(
        self, x: Tensor, v: Tensor, memory: Tensor, particles: Particles
    ) -> tuple[Tensor, Tensor]:
        """Positions (node, d) to accelerations (node, d)."""
        first, second = particles.pairs
        offset = x.index_select(0, first) - x.index_select(0, second)
        field = self.law(offset)
        pull = torch.zeros_like(x).index_add(0, first, memory.index_select(0, second) * field)
        return pull.index_add(0, second, -memory.index_select(0, first) * field), memory

    def meaning(self) -> str:
        return f"strength={self.law.strength}"


class _Law(nn.Module):
    """phi(rho, s) x / rho^3 for offsets x (pair, d), rho^2 = |x|^2 + s^2; almost 0 at the start."""

    def __init__(self, hidden: int, softening: float, strength: float) -> None:
        super().__init__()
        self.strength = float(strength)
        self.log_softening = nn.Parameter(torch.tensor(math.log(softening)))
        self.radial = nn.Linear(2, hidden)
        last = nn.Linear(hidden, 1)
        nn.init.normal_(last.weight, std=0.1 / math.sqrt(hidden))
        nn.init.zeros_(last.bias)
        self.phi = nn.Sequential(nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), last)

    def forward(self, offset: Tensor, relation: Tensor | float = 0.0) -> Tensor:
        square = (offset * offset).sum(-1, keepdim=True) + torch.exp(2 * self.log_softening)
        log = 0.5 * square.log()
        values = torch.cat([log, torch.exp(self.log_softening - log)], -1)
        result: Tensor = (
            self.phi(self.radial(values) + relation)
            * (self.strength * torch.exp(-3 * log))
            * offset
        )
        return result
