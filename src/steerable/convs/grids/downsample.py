"""Down-sampling of arrays without aliasing."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from ...constants import ConstantModule
from ...field import Field
from ...groups import Group
from .window import Window, check_array


class Downsample(ConstantModule):
    """y(x) = sum over offsets o of G(o) f(s x + o), with a Gaussian G of sum 1.

    Every s-th point of a smoothed array.

    G is round and the same for all channels, so it commutes with the group. What it takes away
    would come back as long waves that do not turn with the group.

    Args:
        field: type of the features, a Field or its text; arrays have the axes of its group's
            coordinates.
        stride: s; `StrideWarning` says where it breaks the symmetry.
        smoothing: standard deviation of G in points of the result.
        padding_mode: `zeros`, `reflect`, `replicate` (which keeps constant features constant) or
            `circular`.
        group: the group of a field given as text.

    Raises:
        FieldMismatchError: features that do not fit.
        ValueError: a stride, smoothing or padding mode out of range.
    """

    _gaussian: Tensor

    def __init__(
        self,
        field: Field | str,
        stride: int = 2,
        smoothing: float = 0.5,
        padding_mode: str = "replicate",
        group: Group | None = None,
    ) -> None:
        super().__init__()
        self.field = Field.parse(field, group)
        if not 0 < smoothing < math.inf:
            raise ValueError(
                f"smoothing is a positive number of points of the result; got {smoothing}."
            )
        reach = math.ceil(3 * smoothing * stride)
        self.window = Window(2 * reach + 1, stride, "same", 1, padding_mode)
        weight = torch.exp(
            -torch.arange(-reach, reach + 1, dtype=torch.float64).square()
            / (2 * (smoothing * stride) ** 2)
        )
        self.register_constant("_gaussian", weight / weight.sum())

    def forward(self, x: Tensor) -> Tensor:
        """Map features (batch, field.dim, *spatial) to every s-th point of every spatial axis."""
        check_array("Downsample", self.field, x)
        self.window.warn_off_centre("Downsample", self.field, x)
        dim, channels = self.field.group.dim, self.field.dim
        x, margin = self.window.pad(x)
        convolution = functional.conv2d if dim == 2 else functional.conv3d
        for axis in range(dim):
            along = [int(k == axis) for k in range(dim)]
            weight = self._gaussian.view(
                [self.window.size if on_axis else 1 for on_axis in along]
            ).expand(channels, 1, *[-1] * dim)
            stride = [self.window.stride if on_axis else 1 for on_axis in along]
            x = convolution(
                x, weight, None, stride, [margin * on_axis for on_axis in along], groups=channels
            )
        return x

    def extra_repr(self) -> str:
        return (
            f"{self.field}, {self.field.group}, stride={self.window.stride}, "
            f"padding_mode={self.window.mode!r}"
        )
