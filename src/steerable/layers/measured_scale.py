"""Numbers that a layer measures on data, kept in a buffer that is NaN until they are measured."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, distributed, nn

_SMALLEST = 1e-6  # of the size of what was summed; a smaller power says nothing about later data
_ROUNDINGS = 16  # errors of a sum in units of the dtype's precision, likewise
_LARGEST = 30.0  # times the median; a row with more power counts as much as this


class MeasuredScale(nn.Module):
    """A mixin: a layer divides by the root of a mean square that it measures on data.

    The state is one buffer of the layer, NaN until it has been measured, and nothing else. So every
    copy of the buffer carries the state: `copy.deepcopy`, pickles, `AveragedModel`, `state_dict`
    (also one saved before the first batch) and the buffers that DistributedDataParallel broadcasts.

    A batch is ignored if its power is 0, not finite, or so small beside the size of what was summed
    that it may be rounding; then the next batch is measured. The number comes from one batch: the
    `neighbours` of a convolution are 1 after a pair of atoms and 44 after a dense graph of 200. To
    average over many batches call `nn.measure(model, loader)`; to choose the number, give it.

    With more than one rank, the powers are averaged over ranks. This is done in training mode, in
    which all ranks run the same layers; in evaluation mode nothing is kept there.

        class Layer(MeasuredScale):
            def __init__(self) -> None:
                super().__init__()
                self.register_scale("neighbours")

            def forward(self, x):
                y = ...
                if not self.is_measured():
                    self.measure(robust_mean_square(y) / robust_mean_square(x), size)
                return y * self.scale_factor()
    """

    _scale_name: str
    _scale_is_factor: bool
    _scale_checked: tuple[Tensor, int] | None  # the buffer, in the version known to be measured
    _scale_samples: list[Tensor] | None  # powers of all batches, while `measure` runs

    def register_scale(
        self,
        name: str,
        shape: tuple[int, ...] = (),
        value: float | None = None,
        is_factor: bool = False,
    ) -> None:
        """Register the buffer.

        Args:
            name: of the buffer; it is in `state_dict` unless a value is given.
            shape: of the buffer, one number for each power that is measured.
            value: given instead of measured.
            is_factor: whether the buffer holds power^(-1/2) instead of the power.

        Raises:
            ValueError: a value that is not positive and finite.
        """
        if value is not None and not 0 < value < math.inf:
            raise ValueError(
                f"{type(self).__name__}: {name} is a positive, finite number; got {value}. "
                "Leave it out to measure it on the first batch."
            )
        self._scale_name, self._scale_is_factor = name, is_factor
        self._scale_checked, self._scale_samples = None, None
        number = torch.full(shape, math.nan if value is None else float(value))
        self.register_buffer(name, number, persistent=value is None)
        self.is_measured()

    def is_measured(self) -> bool:
        """Whether every number of the buffer is there; while compiling, whether it was seen to be.

        Raises:
            RuntimeError: the layer is exported, or compiled on several ranks, and has measured
                nothing.
        """
        if torch.compiler.is_compiling():
            if self._scale_checked is None and (_exporting() or _ranks() > 1):
                raise RuntimeError(self._unmeasured())
            return self._scale_checked is not None
        if self._scale_samples is not None:
            return False
        scale = self._scale()
        # A tensor is read once for each version, since on a GPU reading waits for the device.
        version = None if scale.is_inference() else scale._version
        if self._scale_checked is not None:
            tensor, checked = self._scale_checked
            if tensor is scale and checked == version:
                return True
        if scale.is_meta:
            return False
        try:
            measured = not bool(scale.isnan().any())
        except RuntimeError:  # traced or mapped by torch.func: there is no value to read
            return True
        self._scale_checked = (scale, version or 0) if measured else None
        return measured

    @torch.no_grad()
    def measure(self, power: Tensor, size: Tensor | float) -> None:
        """Keep what was measured on a batch, where nothing has been measured yet.

        Args:
            power: the mean square, of the buffer's shape; NaN where there is no data. Take it in
                float64: squares in the units of atoms do not fit float32.
            size: the mean square that would be there if nothing cancelled in the sums.
        """
        scale = self._scale()
        floor = max(_SMALLEST, (_ROUNDINGS * torch.finfo(scale.dtype).eps) ** 2) * size
        usable = power.isfinite() & (power > floor)
        power = torch.where(usable, power, math.nan)
        if self._scale_samples is not None:
            self._scale_samples.append(power)
            scale.copy_(self._stored(power))
            return
        if _ranks() > 1:
            if not self.training:
                return
            power = mean_over_ranks(power)
        scale.copy_(torch.where(scale.isnan(), self._stored(power).to(scale), scale))

    def scale_factor(self) -> Tensor:
        """The factors power^(-1/2); 1 where nothing has been measured."""
        scale = self._scale()
        scale = torch.where(scale.isnan(), 1.0, scale)
        return scale if self._scale_is_factor else scale.rsqrt()

    @torch.no_grad()
    def fix_scale(self) -> None:
        """Take 1 for everything that has not been measured, from now on."""
        self._scale().nan_to_num_(nan=1.0)
        self.is_measured()

    def _scale(self) -> Tensor:
        scale: Tensor = getattr(self, self._scale_name)
        return scale

    def _stored(self, power: Tensor) -> Tensor:
        return power.rsqrt() if self._scale_is_factor else power

    def _unmeasured(self) -> str:
        return (
            f"This {type(self).__name__} has not measured its {self._scale_name} yet, which a "
            "compiled or exported program cannot do. Run one batch first, call "
            f"steerable.nn.measure, or give the number where the layer takes it "
            f"({self._scale_name}=...)."
        )

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        super()._load_from_state_dict(state_dict, prefix, *args)
        self._scale_checked = None  # compiled code looks at this alone
        self.is_measured()


def robust_mean_square(x: Tensor, rows: Tensor | None = None) -> Tensor:
    """The mean square of x in float64, to which one row cannot contribute much.

    Rows with more than 30 times the power of the median row count as 30 times as much.

    Args:
        x: (row, channel).
        rows: which rows count (row,); all if absent.

    Returns:
        A number; NaN without rows, and where any of them is not finite.
    """
    power = x.detach().double().square().mean(1)
    if not x.shape[0]:
        return power.sum() / 0
    counted = torch.ones_like(power, dtype=torch.bool) if rows is None else rows
    positive = counted & (power > 0)
    # All of it with tensors of fixed shapes, so that it can be compiled.
    ranked = torch.where(positive, power, math.inf).sort().values
    middle = (positive.sum() // 2).clamp(max=x.shape[0] - 1)
    bounded = torch.minimum(power, _LARGEST * ranked.gather(0, middle.unsqueeze(0)))
    bounded = torch.where(power.isfinite(), bounded, math.nan)
    return torch.where(counted, bounded, 0.0).sum() / counted.sum()


def mean_over_ranks(power: Tensor) -> Tensor:
    """The mean over the ranks that have a number, NaN where none has."""
    there = ~power.isnan()
    sums = torch.stack([torch.where(there, power, 0.0), there.to(power)])
    distributed.all_reduce(sums)
    return sums[0] / sums[1]


def _ranks() -> int:
    ready = distributed.is_available() and distributed.is_initialized()
    return distributed.get_world_size() if ready else 1


def _exporting() -> bool:
    exporting = getattr(torch.compiler, "is_exporting", torch.compiler.is_compiling)
    return bool(exporting())
