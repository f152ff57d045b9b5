"""Systems of particles as flat tensors.

Where they are, how they move, and where they are some time later.
"""

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
    """Some systems as one graph without pairs between them.

    `pos` and `velocity` (node, d), `attributes` (node, attribute), `pairs` (2, pair) each pair
    once, `pair_attributes` (pair, attribute), and `y` (node, 2 d), displacements and new
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
    """Systems of equally many particles.

    Args:
        pos: positions (system, particle, d).
        velocity: (system, particle, d).
        attributes: of particles (system, particle, attribute).
        pair_attributes: of pairs i < j, those of i = 0 first (system, pair, attribute).
        y: displacements and new velocities (system, particle, 2 d), float64.
        interval: the time between both.
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
        """How many particles every system has."""
        return self.pos.shape[1]

    def batch(self, chosen: Tensor) -> Motion:
        """The systems with the numbers `chosen` (system,), in that order."""
        pos, velocity, attributes, pair_attributes, y = (
            part.index_select(0, chosen).flatten(0, 1)
            for part in (self.pos, self.velocity, self.attributes, self.pair_attributes, self.y)
        )
        return Motion(
            pos, velocity, attributes, _pairs(len(chosen), self.particles), pair_attributes, y
        )

    def to(self, dtype: torch.dtype) -> Systems:
        """The same with all but `y` in another precision."""
        names = ("pos", "velocity", "attributes", "pair_attributes")
        return replace(self, **{name: getattr(self, name).to(dtype) for name in names})

    def spread(self) -> float:
        """The root mean squared distance of particles from the middle of their system."""
        pos = self.pos.double()
        return float((pos - pos.mean(1, keepdim=True)).square().sum(-1).mean().sqrt())

    def strength(self) -> float:
        """The median of acceleration times the square of the distance from the middle.

        The middle is that of the system.

        It is in units of the spread and the interval. Where one body holds all others it is the
        same for all of them.
        """
        pos, unit = self.pos.double(), self.spread()
        bent = self.y[..., : pos.shape[-1]] - self.interval * self.velocity.double()
        distance = torch.linalg.vector_norm(pos - pos.mean(1, keepdim=True), dim=-1)
        return (
            float((2 * torch.linalg.vector_norm(bent, dim=-1) * distance.square()).median())
            / unit**3
        )

    def apart(self) -> Tensor:
        """The least distance of two particles of every system (system,)."""
        first, second = torch.triu_indices(self.particles, self.particles, 1)
        offset = self.pos.index_select(1, first) - self.pos.index_select(1, second)
        return torch.linalg.vector_norm(offset, dim=-1).amin(1)


def gather(task: Forecast, chosen: np.ndarray, bodies: bool) -> Systems:
    """The systems with the numbers `chosen` of a task, float64.

    Args:
        task: trajectories, and which frame is asked for.
        chosen: (system,).
        bodies: whether particle k is the same body in all systems; what is known of it then is its
            number, one-hot.

    Raises:
        ValueError: a number that is not finite, or two particles in one place.
    """
    frames = (task.given, task.asked)
    before, after = (torch.from_numpy(np.asarray(task.position[chosen, frame])) for frame in frames)
    velocity, later = (
        torch.from_numpy(np.asarray(task.velocity[chosen, frame])) for frame in frames
    )
    attributes = torch.from_numpy(np.array(task.scalar[chosen], dtype=np.float64)).unsqueeze(-1)
    count = before.shape[1]
    if bodies:
        attributes = torch.eye(count, dtype=torch.float64).expand(len(chosen), -1, -1)
    first, second = np.triu_indices(count, 1)
    known = torch.zeros(len(chosen), len(first), 0, dtype=torch.float64)
    if task.pair is not None:
        known = torch.from_numpy(
            np.array(task.pair[chosen][:, first, second], dtype=np.float64)
        ).unsqueeze(-1)
    y = torch.cat([after - before, later], -1).double()
    systems = Systems(
        before.double(), velocity.double(), attributes, known, y, task.interval, bodies
    )
    _check(systems, chosen)
    return systems


def _check(systems: Systems, chosen: np.ndarray) -> None:
    finite = (
        torch.isfinite(torch.cat([systems.pos, systems.velocity, systems.y], -1)).flatten(1).all(1)
    )
    if not finite.all():
        raise ValueError(
            f"System {chosen[int((~finite).nonzero()[0])]} has a position or velocity that is no "
            "number."
        )
    if systems.particles > 1 and len(systems) and not (apart := systems.apart() > 0).all():
        raise ValueError(
            f"System {chosen[int((~apart).nonzero()[0])]} has two particles in one place, where "
            "forces have no value: remove it."
        )


@lru_cache(maxsize=8)
def _pairs(systems: int, particles: int) -> Tensor:
    """All pairs within each system, in the order of the systems."""
    pairs = torch.triu_indices(particles, particles, 1)
    first = torch.arange(systems).repeat_interleave(pairs.shape[1]) * particles
    return pairs.repeat(1, systems) + first
