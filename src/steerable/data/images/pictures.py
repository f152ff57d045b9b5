"""Pictures of digits, and batches of them."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from torch import Tensor
from torch.nn import functional as F

from .digits import Digits


class PictureBatch(NamedTuple):
    """Some pictures: `images` (picture, height, width) and `y` (picture,), their digits."""

    images: Tensor
    y: Tensor


class Pictures:
    """Pictures with their digits, of odd height and width, so that one point is the middle.

    Args:
        digits: the pictures; a last row and column of zeros is added where they are even.
    """

    together: ClassVar[int] = 250
    certified: ClassVar[int] = 4

    def __init__(self, digits: Digits) -> None:
        height, width = digits.images.shape[1:]
        self.images = F.pad(digits.images, (0, 1 - width % 2, 0, 1 - height % 2))
        self.label = digits.label

    def __len__(self) -> int:
        return len(self.label)

    def batch(self, chosen: Tensor) -> PictureBatch:
        """The pictures with the numbers `chosen` (picture,), in that order."""
        return PictureBatch(self.images.index_select(0, chosen), self.label.index_select(0, chosen))
