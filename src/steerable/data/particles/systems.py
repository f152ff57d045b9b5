"""Systems of particles as flat tensors: initial states and what to predict from them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor

from .nbody import Forecast

_TOGETHER = 5000


class Motion(NamedTuple):
    """A batch of systems as one graph without pairs between them.

    `pos` and `velocity` (node, d), `attributes` (node, attribute), `pairs` (2, pair) with every
    pair once, `pair_attributes` (pair, attribute), and `y` (node, 2 d), the displacements and new
    velocities, float64.
    """

    pos: Tensor
    velocity: Tensor
    attributes: Tensor
    pairs: Tensor
    pair_attributes: Tensor
    y: Tensor


@dataclass(frozen=True)
class Systems:
    """Systems with equal numbers of particles.

    Args:
        pos: positions (system, particle, d).
        velocity: velocities (system, particle, d).
        attributes: attributes of the particles (system, particle, attribute).
        pair_attributes: attributes of the pairs i < j, sorted by i (system, pair, attribute).
        y: displacements and new velocities (system, particle, 2 d), float64.
        interval: the time after which `y` is taken.
        bodies: whether particle k is the same body in all systems.
    """

    pos: Tensor
    velocity: Tensor
    attributes: Tensor
    pair_attributes: Tensor
    y: Tensor
    interval: float
    bodies: bool

    certified: ClassVar[int] = 4  # in the graph that is certified

    def __len__(self) -> int:
        return len(self.y)

    @property
    def together(self) -> int:
        """How many are predicted together: those of so many particles."""
        return max(1, _TOGETHER // self.particles)

    @property
    def particles(self) -> int:
        """The number of particles of every system."""
        return self.pos.shape[1]

    def batch(self, index: Tensor) -> Motion:
        """The systems with the given indices (system,), in that order."""

        def rows(values: Tensor) -> Tensor:
            return values.index_select(0, index).flatten(0, 1)

        return Motion(
            rows(self.pos),
            rows(self.velocity),
            rows(self.attributes),
            _pairs(len(index), self.particles),
            rows(self.pair_attributes),
            rows(self.y),
        )

    def to(self, dtype: torch.dtype) -> Systems:
        """The same systems with all tensors but `y` in another dtype."""
        names = ("pos", "velocity", "attributes", "pair_attributes")
        return replace(self, **{name: getattr(self, name).to(dtype) for name in names})

    def spread(self) -> float:
        """The root mean squared distance of particles from the centre of their system."""
        pos = self.pos.double()
        return float((pos - pos.mean(1, keepdim=True)).square().sum(-1).mean().sqrt())

    def strength(self) -> float:
        """The median of the acceleration times the squared distance from the centre of the system.

        It is given in units of the spread and the interval. If one body attracts all others, the
        product is the same for all of them.
        """
        pos, unit = self.pos.double(), self.spread()
        # The deviation from straight motion is half the acceleration in units of the interval.
        deviation = self.y[..., : pos.shape[-1]] - self.interval * self.velocity.double()
        acceleration = 2 * torch.linalg.vector_norm(deviation, dim=-1)
        distance = torch.linalg.vector_norm(pos - pos.mean(1, keepdim=True), dim=-1)
        return float((acceleration * distance.square()).median()) / unit**3

    def apart(self) -> Tensor:
        """The smallest distance (system,) between two particles of every system."""
        first, second = torch.triu_indices(self.particles, self.particles, 1)
        offset = self.pos.index_select(1, first) - self.pos.index_select(1, second)
        return torch.linalg.vector_norm(offset, dim=-1).amin(1)


def gather(task: Forecast, index: np.ndarray, bodies: bool) -> Systems:
    """Collect systems of a task into flat tensors, float64.

    Args:
        task: trajectories, and the frame to predict.
        index: the indices of the systems (system,).
        bodies: whether particle k is the same body in all systems; its attribute is then its
            number, one-hot.

    Raises:
        ValueError: a number is not finite, or two particles are at the same position.
    """
    before = torch.from_numpy(np.asarray(task.position[index, task.given]))
    after = torch.from_numpy(np.asarray(task.position[index, task.asked]))
    velocity = torch.from_numpy(np.asarray(task.velocity[index, task.given]))
    new_velocity = torch.from_numpy(np.asarray(task.velocity[index, task.asked]))
    y = torch.cat([after - before, new_velocity], -1).double()

    count = before.shape[1]
    attributes = torch.from_numpy(np.array(task.scalar[index], dtype=np.float64)).unsqueeze(-1)
    if bodies:
        attributes = torch.eye(count, dtype=torch.float64).expand(len(index), -1, -1)
    first, second = np.triu_indices(count, 1)
    pair_attributes = torch.zeros(len(index), len(first), 0, dtype=torch.float64)
    if task.pair is not None:
        pairs = np.array(task.pair[index][:, first, second], dtype=np.float64)
        pair_attributes = torch.from_numpy(pairs).unsqueeze(-1)
    systems = Systems(
        before.double(), velocity.double(), attributes, pair_attributes, y, task.interval, bodies
    )
    _check(systems, index)
    return systems


def _check(systems: Systems, index: np.ndarray) -> None:
    values = torch.cat([systems.pos, systems.velocity, systems.y], -1)
    finite = torch.isfinite(values).flatten(1).all(1)
    if not finite.all():
        raise ValueError(
            f"System {index[int((~finite).nonzero()[0])]} has a position or velocity that is no "
            "number."
        )
    if systems.particles > 1 and len(systems) and not (apart := systems.apart() > 0).all():
        raise ValueError(
            f"System {index[int((~apart).nonzero()[0])]} has two particles in one place, where "
            "forces have no value: remove it."
        )


@lru_cache(maxsize=8)
def _pairs(systems: int, particles: int) -> Tensor:
    """All pairs (2, pair) within each system, in the order of the systems."""
    pairs = torch.triu_indices(particles, particles, 1)
    first = torch.arange(systems).repeat_interleave(pairs.shape[1]) * particles
    return pairs.repeat(1, systems) + first
