"""Pictures of digits on the sphere.

Their parts, how they are projected, and one rotation for each of them.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .digits import Digits, shuffled_parts

__all__ = ["SphereDigits", "project", "sphere_parts"]

_HALF_SIDE = (
    1.5  # of a picture in the plane: it reaches 73.7 degrees from its middle along the axes
)
_SOUTH = -0.5  # the height y below which no corner of a picture reaches
_OUTSIDE = 5.0  # a place beyond the picture, whose sides are at -1 and 1


@dataclass(frozen=True)
class SphereDigits:
    """Upright pictures with their digits, and a rotation of the sphere for each.

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
    """Parts for training, validation and test without a common picture.

    Each picture has a rotation of its own.

    The digits are shuffled and cut; the rotations, uniform over all, come from one random stream
    per part. So the test does not change with the sizes of the other parts.

    Args:
        digits: upright digits.
        sizes: pictures for training, validation and test.
        seed: of the order and of the rotations.

    Raises:
        ValueError: more pictures are asked for than there are, or fewer than one.
    """
    first, second, third = (
        SphereDigits(part, _random_rotations(len(part), np.random.RandomState([seed, k])))
        for k, part in enumerate(shuffled_parts(digits, sizes, seed))
    )
    return first, second, third


def project(images: Tensor, points: Tensor, rotations: Tensor | None = None) -> Tensor:
    """Samples of turned pictures at points of the unit sphere.

    The interpolation is bicubic, with zeros around the pictures.

    A picture lies in the plane that touches the sphere at the pole y, its middle at the pole, its
    axis x along z, its axis y along x, its sides 3 radii long. The stereographic projection from
    the other pole takes the plane to the sphere: (z, x) = 2 tan(t/2) (cos a, sin a) for a point at
    polar angle t and azimuth a. It keeps angles, so strokes keep their shape; a pixel of a picture
    with 28 of them is 6.1 degrees wide in its middle.

    Args:
        images: (picture, height, width); the axes are the coordinates x (down) and y (to the
            right).
        points: unit vectors (..., 3).
        rotations: R (picture, 3, 3), one for each picture; none leaves the middle of all at the
            pole.

    Returns:
        (picture, ...): f(R^-1 p) at points p.

    Raises:
        ValueError: another number of rotations than of pictures.

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
    found = functional.grid_sample(
        images.unsqueeze(1),
        where.unsqueeze(1),
        mode="bicubic",
        padding_mode="zeros",
        align_corners=False,
    )
    return found.reshape(len(images), *points.shape[:-1])


def _random_rotations(count: int, random: np.random.RandomState) -> Tensor:
    """Rotations (count, 3, 3), float32, uniform over all.

    Those of unit quaternions of normal numbers.
    """
    q = random.standard_normal((count, 4))
    w, x, y, z = (q / np.linalg.norm(q, axis=1, keepdims=True)).T
    rows = [
        [w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z],
    ]
    return torch.from_numpy(np.array(rows).transpose(2, 0, 1)).float()
