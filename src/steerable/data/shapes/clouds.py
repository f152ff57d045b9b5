"""Point clouds of one size, batches of them, and how they are turned, stretched and shaken."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from steerable.groups import SO3, Group, axial, trivial

ROTATIONS = ("aligned", "z", "so3")


class CloudBatch(NamedTuple):
    """Some clouds, one behind the other.

    `pos` (point, 3), `batch` (point,) the cloud of each point, `y` (cloud,).
    """

    pos: Tensor
    batch: Tensor
    y: Tensor


@dataclass(frozen=True)
class Clouds:
    """Point clouds of one size with their classes.

    Args:
        points: (cloud, point, 3).
        label: (cloud,).
    """

    points: Tensor
    label: Tensor

    together: ClassVar[int] = 32
    certified: ClassVar[int] = 4  # in the graph that is certified

    def __len__(self) -> int:
        return len(self.label)

    def batch(self, chosen: Tensor) -> CloudBatch:
        """The clouds with the numbers `chosen` (cloud,), in that order."""
        points = self.points.index_select(0, chosen)
        return _joined(points, self.label.index_select(0, chosen))


@dataclass(frozen=True)
class Augmentation:
    """x <- R S x + noise for a random choice of the points of each cloud.

    R and S are drawn anew for each cloud.

    Args:
        rotation: R is the identity (`aligned`), a rotation about z (`z`) or any rotation (`so3`),
            uniform.
        points: how many points are kept, the same of all clouds.
        stretch: S multiplies x, y and z by factors uniform between 1 - stretch and 1 + stretch.
        jitter: standard deviation of the noise, normal.
        drop: a share of the points, uniform between 0 and this and the same for all clouds, is left
            out.
    """

    rotation: str
    points: int
    stretch: float = 0.0
    jitter: float = 0.0
    drop: float = 0.0

    def __call__(self, batch: CloudBatch, generator: torch.Generator) -> CloudBatch:
        """Change a batch with the random numbers of a generator."""
        points = self.of(batch.pos.unflatten(0, (len(batch.y), -1)), generator)
        return _joined(points, batch.y)

    def of(self, points: Tensor, generator: torch.Generator) -> Tensor:
        """Change clouds (cloud, point, 3)."""
        clouds, size = points.shape[:2]
        dropped = self.drop * float(torch.rand(1, generator=generator))
        kept = max(1, round(self.points * (1 - dropped)))
        chosen = torch.randperm(size, generator=generator)[:kept]
        factor = 1 + self.stretch * (2 * torch.rand(clouds, 1, 3, generator=generator) - 1)
        turn = rotations(self.rotation).sample(clouds, generator).to(points)
        moved = (points.index_select(1, chosen) * factor) @ turn.mT
        return moved + self.jitter * torch.randn(moved.shape, generator=generator)

    def once(self, clouds: Clouds, seed: int) -> Clouds:
        """The clouds changed once and for all."""
        return replace(clouds, points=self.of(clouds.points, torch.Generator().manual_seed(seed)))


@cache
def rotations(name: str) -> Group:
    """The group whose Haar measure a protocol draws from.

    Nothing, rotations about z, all rotations.
    """
    return {"aligned": trivial(), "z": axial("Cinf"), "so3": SO3()}[name]


def _joined(points: Tensor, label: Tensor) -> CloudBatch:
    clouds, size = points.shape[:2]
    return CloudBatch(points.flatten(0, 1), torch.arange(clouds).repeat_interleave(size), label)
