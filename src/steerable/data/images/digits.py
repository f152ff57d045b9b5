"""Pictures of digits: MNIST from its original files, or digits that are drawn here.

And how they are rotated.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .idx import read_idx
from .strokes import strokes

__all__ = ["Digits", "read_digits", "rotate", "rotated_parts"]

_PARTS = ("train", "t10k")
_DRAWN = 1000  # pictures of digits that are drawn here


@dataclass(frozen=True)
class Digits:
    """Pictures with their digits.

    Args:
        images: (picture, height, width), between 0 and 1, float32.
        label: (picture,), int64.
    """

    images: Tensor
    label: Tensor

    def __len__(self) -> int:
        return len(self.label)


def read_digits(root: Path | str | None = None) -> Digits:
    """Read all pictures of a set, those for training first.

    Args:
        root: a folder with `train-images-idx3-ubyte`, `train-labels-idx1-ubyte` and the same of
            `t10k`, packed by gzip or not, in it or in a folder `raw` of it: MNIST as it was
            published, and every set in its form. Left out, 1,000 digits that are drawn here.

    Raises:
        ValueError: a file is absent or damaged, or pictures and labels do not fit together.
    """
    if root is None:
        images, label = strokes(_DRAWN)
        return Digits(torch.from_numpy(images), torch.from_numpy(label))
    folder = Path(root) / "raw" if (Path(root) / "raw").is_dir() else Path(root)
    parts = [
        (_read(folder, f"{part}-images-idx3-ubyte"), _read(folder, f"{part}-labels-idx1-ubyte"))
        for part in _PARTS
    ]
    images, label = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    if images.ndim != 3 or label.shape != images.shape[:1] or label.max(initial=0) > 9:
        raise ValueError(
            f"The digits in {folder} need pictures (picture, height, width) and a label from 0 to "
            f"9 for each; got shapes {images.shape} and {label.shape}, and labels up to "
            f"{label.max(initial=0)}."
        )
    return Digits(torch.from_numpy(images).float() / 255, torch.from_numpy(label).long())


def rotated_parts(
    digits: Digits, sizes: tuple[int, int, int], seed: int = 0
) -> tuple[Digits, Digits, Digits]:
    """Parts for training, validation and test without a common picture.

    Each picture is turned by an angle of its own.

    The digits are shuffled and cut; the angles, uniform in [0, 2 pi), come from one random stream
    per part. So the test does not change with the sizes of the other parts.

    Args:
        digits: upright digits.
        sizes: pictures for training, validation and test.
        seed: of the order and of the angles.

    Raises:
        ValueError: more pictures are asked for than there are, or fewer than one.
    """
    parts = []
    for part, stream in zip(shuffled_parts(digits, sizes, seed), (2, 1, 0), strict=True):
        angle = np.random.RandomState([seed, stream]).uniform(0, 2 * np.pi, len(part))
        parts.append(Digits(rotate(part.images, torch.from_numpy(angle)).clamp(0, 1), part.label))
    return parts[0], parts[1], parts[2]


def shuffled_parts(
    digits: Digits, sizes: tuple[int, int, int], seed: int
) -> tuple[Digits, Digits, Digits]:
    """Parts for training, validation and test of shuffled digits.

    The test does not change with the other sizes.

    Raises:
        ValueError: more pictures are asked for than there are, or fewer than one.
    """
    train, validation, test = sizes
    if min(sizes) < 1 or sum(sizes) > len(digits):
        raise ValueError(
            f"There are {len(digits)} digits for {train} + {validation} + {test} of training, "
            "validation and test: each part needs at least one, and they may not be more together."
        )
    order = torch.from_numpy(np.random.RandomState(seed).permutation(len(digits)))
    chosen = order[test + validation :][:train], order[test:][:validation], order[:test]
    first, second, third = (
        Digits(digits.images.index_select(0, part), digits.label.index_select(0, part))
        for part in chosen
    )
    return first, second, third


def rotate(images: Tensor, angle: Tensor) -> Tensor:
    """Turn every picture about its middle, by bicubic interpolation and with zeros around it.

    On waves of 20 points the error is about 2 %: what PyTorch's cubic, a little sharper than the
    best one, allows.

    Args:
        images: (picture, height, width); the axes are the coordinates x (down) and y (to the
            right).
        angle: (picture,) in radians, positive from x to y.

    Returns:
        Pictures of the same shape: g(p) = f(R^-1 p).
    """
    return warp(images, turns(-angle))


def turns(angle: Tensor) -> Tensor:
    """The matrices R (..., 2, 2) that turn by angles (...) in radians, from x to y."""
    cosine, sine = angle.cos(), angle.sin()
    return torch.stack([cosine, -sine, sine, cosine], -1).unflatten(-1, (2, 2))


def warp(images: Tensor, matrix: Tensor) -> Tensor:
    """Pictures g(p) = f(A p) about their middle.

    The interpolation is bicubic, with zeros around the pictures.

    Args:
        images: (picture, height, width); the axes are the coordinates x (down) and y (to the
            right).
        matrix: A (picture, 2, 2).

    Returns:
        Pictures of the same shape.
    """
    # grid_sample counts (y, x), and moves nothing: a third column of zeros
    maps = functional.pad(matrix.flip(-1, -2), (0, 1)).to(images)
    parts = [
        functional.grid_sample(
            part.unsqueeze(1),
            functional.affine_grid(one, [len(part), 1, *part.shape[1:]], align_corners=False),
            mode="bicubic",
            align_corners=False,
        ).squeeze(1)
        for part, one in zip(images.split(2048), maps.split(2048), strict=True)
    ]
    return torch.cat(parts) if parts else images


def deformations(count: int, size: float, generator: torch.Generator) -> Tensor:
    """Matrices 1 + `size` times normal numbers (count, 2, 2).

    A little larger, smaller, sheared and turned.
    """
    return torch.eye(2) + size * torch.randn(count, 2, 2, generator=generator)


def _read(folder: Path, name: str) -> np.ndarray:
    packed = folder / f"{name}.gz"
    if not packed.is_file() and not (folder / name).is_file():
        raise ValueError(
            f"{folder} has no {name} and no {name}.gz: name the folder of the four MNIST files, or "
            "leave it out to learn digits that are drawn here."
        )
    return read_idx(packed if packed.is_file() else folder / name)
