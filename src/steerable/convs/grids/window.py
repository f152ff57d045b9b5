"""Arrays of features: their shape, their padding, and strides that sample them off centre."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ...field import Field, FieldMismatchError, check_floating

PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class StrideWarning(UserWarning):
    """A stride samples an array off centre.

    Turns and reflections of the grid are no longer exact.
    """


@dataclass(frozen=True)
class Window:
    """How a kernel moves over arrays (batch, channel, x, y) or (batch, channel, x, y, z).

    Args:
        size: points of the kernel along every axis.
        stride: steps between results.
        padding: points added at both ends of every axis; `same` keeps the size where the stride is
            1.
        dilation: steps between points of the kernel.
        mode: how points are added: `zeros`, `reflect`, `replicate` or `circular`.

    Raises:
        ValueError: a mode that does not exist, or numbers out of range.
    """

    size: int
    stride: int
    padding: int | str
    dilation: int
    mode: str

    def __post_init__(self) -> None:
        if self.mode not in PADDING_MODES:
            raise ValueError(
                f"padding_mode is one of {', '.join(PADDING_MODES)}; got {self.mode!r}."
            )
        for name, value in (("stride", self.stride), ("dilation", self.dilation)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(
                    f"{name} is one whole number of at least 1, the same along every axis; got "
                    f"{value!r}."
                )
        if self.padding != "same" and (not isinstance(self.padding, int) or self.padding < 0):
            raise ValueError(
                "padding is 'same' or one whole number of at least 0, the same along every axis; "
                f"got {self.padding!r}."
            )

    @property
    def margin(self) -> int:
        """Points added at both ends of every axis."""
        return self._same if isinstance(self.padding, str) else self.padding

    @property
    def _same(self) -> int:
        return self.dilation * (self.size // 2)

    def pad(self, x: Tensor) -> tuple[Tensor, int]:
        """The array with what the convolution itself cannot add, and the zeros it is to add."""
        if self.mode == "zeros" or not self.margin:
            return x, self.margin
        return functional.pad(x, [self.margin, self.margin] * (x.dim() - 2), self.mode), 0

    def warn_off_centre(self, owner: str, field: Field, x: Tensor) -> None:
        """Warn where an axis that the group moves is not sampled about its centre."""
        if self.stride == 1 or torch.compiler.is_compiling():
            return
        moved = np.abs(field.group.generators - np.eye(field.group.dim)).max(axis=(0, 1)) > 0
        periodic = self.mode == "circular" and self.margin == self._same
        good = (
            0 if periodic else (self.dilation * (self.size - 1) + 1 - 2 * self.margin) % self.stride
        )
        for width in {width for width, moves in zip(x.shape[2:], moved, strict=True) if moves}:
            rest = (width - good) % self.stride
            if rest:
                near = " or ".join(
                    str(w) for w in (width - rest, width - rest + self.stride) if w > 0
                )
                form = f"{self.stride} k + {good}" if good else f"{self.stride} k"
                warnings.warn(
                    f"{owner}: a stride of {self.stride} samples an axis of {width} points off "
                    "centre, so that turns and reflections of the grid are no longer exact. "
                    f"Choose {form} points, such as {near}.",
                    StrideWarning,
                    stacklevel=3,
                )


def check_array(owner: str, field: Field, x: Tensor) -> None:
    """Raise FieldMismatchError unless `x` is a batch of arrays of `field`, of real numbers."""
    dim = field.group.dim
    if x.dim() != dim + 2 or x.shape[1] != field.dim:
        raise FieldMismatchError(
            f"{owner} expects arrays (batch, channel, {', '.join('xyz'[:dim])}) of {field} "
            f"({field.dim} channels) and got {tuple(x.shape)}."
        )
    check_floating(x, owner, "arrays")
