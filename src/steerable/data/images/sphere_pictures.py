"""Pictures of digits on the sphere, and batches of them."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from steerable.functions import SphereGrid

from .digits import deformations, warp
from .sphere_digits import SphereDigits, project


class SphereBatch(NamedTuple):
    """A batch of pictures: `samples` (picture, ring, longitude) and their digits `y` (picture,)."""

    samples: Tensor
    y: Tensor


class SpherePictures:
    """Pictures on a grid of the sphere with their digits, projected on demand.

    Args:
        part: the pictures and their rotations.
        rings: the number of rings of the grid.
        rotated: whether to apply the rotations.
    """

    together: ClassVar[int] = 250
    certified: ClassVar[int] = 4

    def __init__(self, part: SphereDigits, rings: int, rotated: bool) -> None:
        self.part, self.rings, self.rotated = part, rings, rotated
        self.label = part.digits.label
        self._points = SphereGrid("gauss", rings, 2 * rings).points().float()

    def __len__(self) -> int:
        return len(self.label)

    def batch(self, index: Tensor) -> SphereBatch:
        """The pictures with the given indices (picture,), in that order."""
        return self.projected(self.part.digits.images.index_select(0, index), index)

    def projected(self, images: Tensor, index: Tensor) -> SphereBatch:
        """Project other images, with the rotations and digits of the given pictures.

        Args:
            images: (picture, height, width).
            index: the indices (picture,) of the pictures that they replace.
        """
        rotations = self.part.rotations.index_select(0, index) if self.rotated else None
        return SphereBatch(
            project(images, self._points, rotations), self.label.index_select(0, index)
        )

    def upright(self) -> SpherePictures:
        """The same pictures without their rotations."""
        return SpherePictures(self.part, self.rings, False)


class FlatPictures:
    """Pictures in the plane with their indices, to be deformed and then projected by `change`.

    Args:
        pictures: the pictures on the sphere.
        deform: the size of the random linear maps that deform them.
    """

    together: ClassVar[int] = SpherePictures.together

    def __init__(self, pictures: SpherePictures, deform: float) -> None:
        self.pictures, self.deform = pictures, deform

    def __len__(self) -> int:
        return len(self.pictures)

    def batch(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures (picture, height, width) and their indices (picture,)."""
        return self.pictures.part.digits.images.index_select(0, index), index

    def change(self, batch: tuple[Tensor, Tensor], generator: torch.Generator) -> SphereBatch:
        """Deform every picture by a random linear map and project it onto the sphere."""
        images, index = batch
        maps = deformations(len(index), self.deform, generator)
        return self.pictures.projected(warp(images, maps) if self.deform else images, index)
