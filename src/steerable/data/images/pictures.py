"""Pictures of digits, and batches of them."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from torch import Tensor
from torch.nn import functional as F

from .digits import Digits


class PictureBatch(NamedTuple):
    """A batch of pictures: `images` (picture, height, width) and their digits `y` (picture,)."""

    images: Tensor
    y: Tensor


class Pictures:
    """Pictures of odd height and width, which have a central point, with their digits.

    Args:
        digits: the pictures; a row or column of zeros is appended to even sizes.
    """

    together: ClassVar[int] = 250
    certified: ClassVar[int] = 4

    def __init__(self, digits: Digits) -> None:
        height, width = digits.images.shape[1:]
        self.images = F.pad(digits.images, (0, 1 - width % 2, 0, 1 - height % 2))
        self.label = digits.label

    def __len__(self) -> int:
        return len(self.label)

    def batch(self, index: Tensor) -> PictureBatch:
        """The pictures with the given indices (picture,), in that order."""
        return PictureBatch(self.images.index_select(0, index), self.label.index_select(0, index))
