"""The motion of particles by learned forces inside leapfrog steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from ..groups import O3, Group
from ..layers import Meaningful
from ..ops import check_finite
from ..settings import check_choices, check_range
from ..tracing import is_traced
from .certifiable import Claim
from .forces import Forces, Particles, Symmetric, Weighing
from .moved import motion_claim

_LONG = 10.0  # times the median


@dataclass(frozen=True)
class DynamicsSettings:
    """The part of `Dynamics` and of its forces that a user chooses; the data decide the rest.

    Args:
        forces: `pairs` (central forces of pairs: symplectic, conserves momentum), `gravitation`
            (the same with one law and learned masses) or `messages` (any forces that commute with
            the group, of particles that remember).
        steps: of leapfrog from one frame to the next; 0 takes 200 of pair forces, 8 of messages.
        hidden: width of the perceptrons, and size of the memory.
        softening: of distances in pair forces at the start, in units of the spread of the
            particles.
        group: name of the symmetry group of `messages`; SO(2) and O(2) turn about the upright axis.
        translations: `all`, those of the `plane` that is turned, or `none`: what leaves the forces
            of `messages` alone.
    """

    forces: Literal["pairs", "gravitation", "messages"] = "pairs"
    steps: int = 0
    hidden: int = 32
    softening: float = 0.05
    group: str = "O(3)"
    translations: Literal["all", "plane", "none"] = "all"

    def __post_init__(self) -> None:
        check_choices("model", self)
        check_range("model", self, "steps", least=0)
        check_range("model", self, "hidden", least=1)
        check_range("model", self, "softening", above=0)


class Dynamics(Meaningful):
    """x += h/2 v, then n times v += h a(x, v), x += h v, at last x -= h/2 v.

    These are n steps of leapfrog, h = time / n.

    All steps share one law a, which is learned through all of them. With pair forces (`PairForces`,
    `Gravitation`) every step is symplectic and conserves momentum, so that energy does not drift;
    `MessageForces` are any forces that commute with a group, of particles that remember. Positions
    and velocities are measured in units of `length` and `length / time`, so that a network sees
    numbers of about 1.

    Motion is chaotic where particles meet, and gradients through it grow without bound. In training
    mode those of a particle that are longer than ten times the median are shortened to that after
    each step back in time, so that the law is learned from the many whose motion can be told.

    Args:
        forces: a module that gives accelerations in these units.
        steps: n.
        length: the unit of length, such as the spread of the particles.
        time: how far to predict.

    Raises:
        ValueError: no step, or units that are not positive.

    Source: learned through the rollout as in Sanchez-Gonzalez et al. 2019, arXiv:1909.12790;
    second-order steps of equivariant networks in Liu et al. 2024 (SEGNO), arXiv:2308.13212.
    """

    def __init__(
        self, forces: Forces, steps: int = 8, length: float = 1.0, time: float = 1.0
    ) -> None:
        super().__init__()
        if steps < 1 or not 0 < length < float("inf") or not 0 < time < float("inf"):
            raise ValueError(
                f"A motion has at least 1 step and positive finite units; got steps={steps}, "
                f"length={length}, time={time}."
            )
        self.forces = forces
        self.steps, self.length, self.time = steps, float(length), float(time)

    def forward(
        self,
        pos: Tensor,
        velocity: Tensor,
        attributes: Tensor,
        pairs: Tensor | None = None,
        pair_attributes: Tensor | None = None,
    ) -> Tensor:
        """Predict.

        Args:
            pos: positions (node, d).
            velocity: (node, d).
            attributes: invariants of each particle, such as its charge (node, attribute).
            pairs: numbers of the particles that act on each other, each pair once (2, pair); all
                pairs if absent.
            pair_attributes: invariants of each pair (pair, attribute).

        Returns:
            Displacements and new velocities side by side (node, 2 d), in the units of `pos` and
            `velocity`.

        Raises:
            ValueError: tensors that do not fit, numbers that are not finite, or two particles of a
                pair in one place.
        """
        *_, (x, v) = self._motion(pos, velocity, attributes, pairs, pair_attributes)
        return self._told(pos, x, v)

    def path(
        self,
        pos: Tensor,
        velocity: Tensor,
        attributes: Tensor,
        pairs: Tensor | None = None,
        pair_attributes: Tensor | None = None,
    ) -> Tensor:
        """Displacements and velocities after each step (step, node, 2 d).

        The last are what `forward` predicts.
        """
        motion = self._motion(pos, velocity, attributes, pairs, pair_attributes)
        return torch.stack([self._told(pos, x, v) for x, v in motion])

    def masses(self, attributes: Tensor) -> Tensor | None:
        """The learned masses (node, 1) of particles with some attributes (node, attribute).

        Returns None where the forces learn no masses.
        """
        return self.forces.masses(attributes) if isinstance(self.forces, Weighing) else None

    def certifiable(
        self,
        pos: Tensor,
        velocity: Tensor,
        attributes: Tensor,
        pairs: Tensor,
        pair_attributes: Tensor,
    ) -> Claim:
        """The claim that motion commutes with the symmetries of its forces."""
        group: Group = O3()
        translations = "all"
        if isinstance(self.forces, Symmetric):
            group, translations = self.forces.group, self.forces.translations
        particles = Particles(attributes, pairs, pair_attributes)
        return motion_claim(self, group, translations, pos, velocity, particles)

    def meaning(self) -> str:
        return f"steps={self.steps}, length={self.length}, time={self.time}"

    def _motion(
        self,
        pos: Tensor,
        velocity: Tensor,
        attributes: Tensor,
        pairs: Tensor | None,
        pair_attributes: Tensor | None,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Positions half a step before, and velocities at the end, of each step.

        In units of the network.
        """
        pairs = (
            torch.triu_indices(pos.shape[0], pos.shape[0], 1, device=pos.device)
            if pairs is None
            else pairs
        )
        pair_attributes = (
            pos.new_zeros(pairs.shape[1], 0) if pair_attributes is None else pair_attributes
        )
        particles = Particles(attributes, pairs, pair_attributes)
        _check(pos, velocity, particles)
        v, step = velocity * (self.time / self.length), 1 / self.steps
        x = pos / self.length + step / 2 * v
        memory = self.forces.begin(particles)
        for _ in range(self.steps):
            if self.training:
                x, v = _Shortened.apply(x, v)
            a, memory = self.forces(x, v, memory, particles)
            v = v + step * a
            yield x, v
            x = x + step * v

    def _told(self, pos: Tensor, x: Tensor, v: Tensor) -> Tensor:
        displacement = x + v / (2 * self.steps) - pos / self.length
        return torch.cat([displacement, v / self.time], -1) * self.length


class _Shortened(torch.autograd.Function):
    """x and v themselves (node, d).

    Backwards the gradients of nodes are shortened to ten times their median length.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        return x.view_as(x), v.view_as(v)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, ...]:
        length = torch.linalg.vector_norm(torch.cat(grads, 1), dim=1, keepdim=True)
        median = length.median()
        longest = torch.where(median > 0, _LONG * median, torch.inf)  # most may have none
        factor = (longest / length.clamp(min=1e-30)).clamp(max=1)
        return tuple(grad * factor for grad in grads)


def _check(pos: Tensor, velocity: Tensor, particles: Particles) -> None:
    """Refuse what does not fit, and particles for which forces have no value."""
    attributes, pairs, pair_attributes = particles
    if (
        pos.dim() != 2
        or pos.shape != velocity.shape
        or len(attributes) != len(pos)
        or attributes.dim() != 2
    ):
        raise ValueError(
            "Positions and velocities are (node, d), attributes (node, attribute); got "
            f"{tuple(pos.shape)}, {tuple(velocity.shape)} and {tuple(attributes.shape)}."
        )
    if (
        pairs.dtype != torch.long
        or pairs.dim() != 2
        or len(pairs) != 2
        or len(pair_attributes) != pairs.shape[1]
    ):
        raise ValueError(
            "pairs are torch.long (2, pair) with a row of pair_attributes for each; got "
            f"{pairs.dtype} {tuple(pairs.shape)} and {tuple(pair_attributes.shape)}."
        )
    if is_traced(pos):
        return
    check_finite(pos)
    if not torch.isfinite(velocity).all():
        raise ValueError("Velocities must be finite; some are NaN or infinite.")
    if not pairs.numel():
        return
    low, high = int(pairs.min()), int(pairs.max())
    if not 0 <= low <= high < len(pos):
        raise ValueError(f"pairs hold numbers from 0 to {len(pos) - 1}; got {low} to {high}.")
    apart = (pos.index_select(0, pairs[0]) != pos.index_select(0, pairs[1])).any(1)
    if not apart.all():
        i, j = pairs[:, int((~apart).nonzero()[0])].tolist()
        raise ValueError(
            f"Particles {i} and {j} are in one place, where forces have no value: move or remove "
            "one."
        )
