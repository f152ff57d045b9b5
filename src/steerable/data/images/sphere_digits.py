"""Pictures of digits projected onto the sphere, each with a rotation."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .digits import Digits, shuffled_parts

__all__ = ["SphereDigits", "project", "sphere_parts"]

# Half the side of a picture in the plane: it extends 73.7 degrees from its centre along the axes.
_HALF_SIDE = 1.5
_SOUTH = -0.5  # all corners of a picture lie above this height y
_OUTSIDE = 5.0  # a coordinate outside the picture, whose sides are at -1 and 1


@dataclass(frozen=True)
class SphereDigits:
    """Upright pictures with their digits, and a rotation of the sphere for each picture.

    Args:
        digits: the pictures.
        rotations: (picture, 3, 3), float32.
    """

    digits: Digits
    rotations: Tensor

    def __len__(self) -> int:
        return len(self.digits)


def sphere_parts(
    digits: Digits, sizes: tuple[int, int, int], seed: int = 0
) -> tuple[SphereDigits, SphereDigits, SphereDigits]:
    """Disjoint parts for training, validation and test, with a random rotation for each picture.

    The digits are shuffled and split. The rotations are uniform over SO(3) and come from one random
    stream per part, so the test part does not depend on the sizes of the other parts.

    Args:
        digits: upright digits.
        sizes: the numbers of pictures for training, validation and test.
        seed: the seed of the order and of the rotations.

    Raises:
        ValueError: a part is empty, or there are not enough pictures.
    """
    parts = [
        SphereDigits(part, _random_rotations(len(part), np.random.RandomState([seed, k])))
        for k, part in enumerate(shuffled_parts(digits, sizes, seed))
    ]
    return parts[0], parts[1], parts[2]


def project(images: Tensor, points: Tensor, rotations: Tensor | None = None) -> Tensor:
    """Project pictures onto the unit sphere and sample them at points.

    A picture lies in the plane that touches the sphere at the pole y. Its centre is at the pole,
    its axis x points along z and its axis y along x, and its sides are 3 radii long. The
    stereographic projection from the opposite pole maps the plane to the sphere:
    (z, x) = 2 tan(t/2) (cos a, sin a) for a point at polar angle t and azimuth a. It preserves
    angles, so strokes keep their shape. A pixel of a picture with 28 x 28 pixels is 6.1 degrees
    wide at the centre. The interpolation is bicubic, with zeros outside the pictures.

    Args:
        images: (picture, height, width); the axes are the coordinates x (down) and y (to the
            right).
        points: unit vectors (..., 3).
        rotations: R (picture, 3, 3), one for each picture; without them all pictures are centred at
            the pole.

    Returns:
        (picture, ...): f(R^-1 p) at points p.

    Raises:
        ValueError: the number of rotations differs from the number of pictures.

    Source: Cohen et al. 2018, arXiv:1801.10130, for the projection and the size of the pictures.
    """
    if rotations is not None and rotations.shape != (len(images), 3, 3):
        raise ValueError(
            f"Each of {len(images)} pictures has one rotation, ({len(images)}, 3, 3); got "
            f"{tuple(rotations.shape)}."
        )
    flat = points.reshape(1, -1, 3).to(images)
    places = flat.expand(len(images), -1, -1) if rotations is None else flat @ rotations.to(images)
    x, y, z = places.unbind(-1)
    scale = 2 / (1 + y.clamp(min=_SOUTH)) / _HALF_SIDE
    where = torch.stack([scale * x, scale * z], -1)  # grid_sample counts columns before rows
    where = where.masked_fill((y < _SOUTH).unsqueeze(-1), _OUTSIDE)
    samples = functional.grid_sample(
        images.unsqueeze(1),
        where.unsqueeze(1),
        mode="bicubic",
        padding_mode="zeros",
        align_corners=False,
    )
    return samples.reshape(len(images), *points.shape[:-1])


def _random_rotations(count: int, random: np.random.RandomState) -> Tensor:
    """Uniformly random rotations (count, 3, 3), float32, from normalised Gaussian quaternions."""
    q = random.standard_normal((count, 4))
    w, x, y, z = (q / np.linalg.norm(q, axis=1, keepdims=True)).T
    rows = [
        [w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z],
    ]
    return torch.from_numpy(np.array(rows).transpose(2, 0, 1)).float()
