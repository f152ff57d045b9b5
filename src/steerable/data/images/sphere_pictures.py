"""Pictures of digits on the sphere, and batches of them."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from steerable.functions import SphereGrid

from .digits import deformations, warp
from .sphere_digits import SphereDigits, project


class SphereBatch(NamedTuple):
    """Some pictures: `samples` on the grid and their digits `y` (picture,).

    The samples are (picture, ring, longitude).
    """

    samples: Tensor
    y: Tensor


class SpherePictures:
    """Pictures on a grid of the sphere with their digits.

    They are projected when they are asked for.

    Args:
        part: the pictures and their rotations.
        rings: of the grid.
        rotated: whether the rotations are applied.
    """

    together: ClassVar[int] = 250
    certified: ClassVar[int] = 4

    def __init__(self, part: SphereDigits, rings: int, rotated: bool) -> None:
        self.part, self.rings, self.rotated = part, rings, rotated
        self.label = part.digits.label
        self._points = SphereGrid("gauss", rings, 2 * rings).points().float()

    def __len__(self) -> int:
        return len(self.label)

    def batch(self, chosen: Tensor) -> SphereBatch:
        """The pictures with the numbers `chosen` (picture,), in that order."""
        return self.projected(self.part.digits.images.index_select(0, chosen), chosen)

    def projected(self, images: Tensor, chosen: Tensor) -> SphereBatch:
        """Pictures in the plane in the place of those with the numbers `chosen`.

        They are (picture, height, width).
        """
        rotations = self.part.rotations.index_select(0, chosen) if self.rotated else None
        return SphereBatch(
            project(images, self._points, rotations), self.label.index_select(0, chosen)
        )

    def upright(self) -> SpherePictures:
        """The same pictures without their rotations."""
        return SpherePictures(self.part, self.rings, False)


class FlatPictures:
    """The pictures in the plane, and their numbers.

    Args:
        pictures: what they become on the sphere.
        deform: size of the random linear maps on the way.
    """

    together: ClassVar[int] = SpherePictures.together

    def __init__(self, pictures: SpherePictures, deform: float) -> None:
        self.pictures, self.deform = pictures, deform

    def __len__(self) -> int:
        return len(self.pictures)

    def batch(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures (picture, height, width) and `chosen` (picture,)."""
        return self.pictures.part.digits.images.index_select(0, chosen), chosen

    def change(self, batch: tuple[Tensor, Tensor], generator: torch.Generator) -> SphereBatch:
        """The pictures on the sphere, each through a linear map of its own."""
        images, chosen = batch
        maps = deformations(len(chosen), self.deform, generator)
        return self.pictures.projected(warp(images, maps) if self.deform else images, chosen)
