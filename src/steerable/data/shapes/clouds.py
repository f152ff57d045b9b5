"""Point clouds of equal size, batches of them, and random rotation, stretching and noise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from steerable.groups import SO3, Group, axial, trivial

ROTATIONS = ("aligned", "z", "so3")


class CloudBatch(NamedTuple):
    """A batch of clouds: `pos` (point, 3), the cloud `batch` (point,) of each point, `y` (cloud,).

    The points of a cloud are consecutive.
    """

    pos: Tensor
    batch: Tensor
    y: Tensor


@dataclass(frozen=True)
class Clouds:
    """Point clouds of equal size with their classes.

    Args:
        points: (cloud, point, 3).
        label: the class of each cloud (cloud,).
    """

    points: Tensor
    label: Tensor

    together: ClassVar[int] = 32
    certified: ClassVar[int] = 4  # in the graph that is certified

    def __len__(self) -> int:
        return len(self.label)

    def batch(self, index: Tensor) -> CloudBatch:
        """The clouds with the given indices (cloud,), in that order."""
        points = self.points.index_select(0, index)
        return _join(points, self.label.index_select(0, index))


@dataclass(frozen=True)
class Augmentation:
    """Random augmentation of clouds: a random subset of the points, and x <- R S x + noise.

    R and S are drawn for each cloud, the subset once for all clouds of a batch.

    Args:
        rotation: R is the identity (`aligned`), or a uniformly random rotation about z (`z`) or in
            space (`so3`).
        points: the number of points to select.
        stretch: S multiplies x, y and z by factors uniform between 1 - stretch and 1 + stretch.
        jitter: the standard deviation of the Gaussian noise.
        drop: the largest share of the selected points to drop; the share is uniform between 0 and
            this and the same for all clouds of a batch.
    """

    rotation: str
    points: int
    stretch: float = 0.0
    jitter: float = 0.0
    drop: float = 0.0

    def __call__(self, batch: CloudBatch, generator: torch.Generator) -> CloudBatch:
        """Augment a batch with the random numbers of a generator."""
        points = self.of(batch.pos.unflatten(0, (len(batch.y), -1)), generator)
        return _join(points, batch.y)

    def of(self, points: Tensor, generator: torch.Generator) -> Tensor:
        """Augment clouds (cloud, point, 3)."""
        clouds, size = points.shape[:2]
        share = self.drop * float(torch.rand(1, generator=generator))
        count = max(1, round(self.points * (1 - share)))
        subset = torch.randperm(size, generator=generator)[:count]
        factor = 1 + self.stretch * (2 * torch.rand(clouds, 1, 3, generator=generator) - 1)
        turn = rotations(self.rotation).sample(clouds, generator).to(points)
        images = (points.index_select(1, subset) * factor) @ turn.mT
        return images + self.jitter * torch.randn(images.shape, generator=generator)

    def once(self, clouds: Clouds, seed: int) -> Clouds:
        """The clouds, augmented once with a fixed seed."""
        return replace(clouds, points=self.of(clouds.points, torch.Generator().manual_seed(seed)))


@cache
def rotations(name: str) -> Group:
    """The group that random rotations are drawn from: trivial, rotations about z, or all."""
    return {"aligned": trivial(), "z": axial("Cinf"), "so3": SO3()}[name]


def _join(points: Tensor, label: Tensor) -> CloudBatch:
    clouds, size = points.shape[:2]
    return CloudBatch(points.flatten(0, 1), torch.arange(clouds).repeat_interleave(size), label)
