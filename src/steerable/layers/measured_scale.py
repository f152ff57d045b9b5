"""Numbers that a layer measures on data, kept in a buffer that is NaN until they are measured."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Self

import torch
from torch import Tensor, nn

from .ranks import mean_over_ranks, ranks

_SMALLEST = 1e-6  # of the size of what was summed; a smaller power says nothing about later data
_ROUNDINGS = 16  # errors of a sum in units of the dtype's precision, likewise
_LARGEST = 100.0  # times the row above 90 %; a row with more power counts as much as this
_OUTLIERS = 3  # so many rows at most are outliers; more of them are what the data are like
_OUTLYING = 1e4  # times the mean power of all other rows; the amplitude is 100 times as large


class MeasuredScale(nn.Module):
    """A mixin: a layer divides by the root of a mean square that it measures on data.

    The state is one buffer of the layer, NaN until it has been measured, and nothing else. So every
    copy of the buffer carries the state: `copy.deepcopy`, pickles, `AveragedModel`, `state_dict`
    (also one saved before the first batch) and the buffers that DistributedDataParallel broadcasts.

    A batch is ignored if its power is 0, not finite, or so small beside the size of what was summed
    that it may be rounding; then the next batch is measured. `NeighbourConv` also ignores one in
    which few rows outweigh all others (`has_outliers`). The number comes from one batch: the
    `neighbours` of a convolution are 1 after a pair of atoms and 44 after a dense graph of 200. To
    average over many batches call `nn.measure(model, loader)`; to choose the number, give it.

    With more than one rank, the powers are averaged over ranks. This is done in training mode, in
    which all ranks run the same layers; in evaluation mode nothing is kept there. So a layer calls
    `measure` also on a batch without data, with a power of NaN.

        class Layer(MeasuredScale):
            def __init__(self) -> None:
                super().__init__()
                self.register_scale("neighbours")

            def forward(self, x):
                y = ...
                if not self.is_measured():
                    self.measure(y.double().square().mean() / x.double().square().mean(), size)
                return y * self.scale_factor()
    """

    scale_name: str
    given: float | None = None  # the number, where it is not measured
    samples: list[Tensor] | None  # the powers of all batches while `nn.measure` runs
    _scale_is_factor: bool
    _scale_checked: tuple[Tensor, int] | None  # the buffer, in the version known to be measured

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
        self.scale_name, self.given, self._scale_is_factor = name, value, is_factor
        self._scale_checked, self.samples = None, None
        number = torch.full(shape, math.nan if value is None else float(value))
        self.register_buffer(name, number, persistent=value is None)
        self.is_measured()

    @property
    def is_measurable(self) -> bool:
        """Whether the number is measured, and not given."""
        return self.given is None

    @property
    def scale_buffer(self) -> Tensor:
        """The buffer."""
        scale: Tensor = getattr(self, self.scale_name)
        return scale

    def is_measured(self) -> bool:
        """Whether every number of the buffer is there; while compiling, whether it was seen to be.

        Raises:
            RuntimeError: the layer is exported, or compiled on several ranks, and has measured
                nothing.
        """
        if torch.compiler.is_compiling():
            if self._scale_checked is None and (_exporting() or ranks() > 1):
                raise RuntimeError(self._unmeasured())
            return self._scale_checked is not None
        if self.samples is not None:
            return False
        scale = self.scale_buffer
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
        scale = self.scale_buffer
        floor = max(_SMALLEST, (_ROUNDINGS * torch.finfo(scale.dtype).eps) ** 2) * size
        usable = power.isfinite() & (power > floor)
        power = torch.where(usable, power, math.nan)
        if self.samples is not None:
            self.samples.append(power)
            self.set_power(power)
            return
        if ranks() > 1 and not self.training:
            return  # not every rank may be here
        power = mean_over_ranks(power)
        self.set_power(power, only_unmeasured=True)

    def set_power(self, power: Tensor, only_unmeasured: bool = False) -> None:
        """Set the buffer to powers of its shape, or that part of it that is not measured."""
        scale = self.scale_buffer
        value = (power.rsqrt() if self._scale_is_factor else power).to(scale)
        with torch.no_grad():
            scale.copy_(torch.where(scale.isnan(), value, scale) if only_unmeasured else value)
        if not torch.compiler.is_compiling():
            self.is_measured()  # a program may be exported from now on

    def scale_factor(self) -> Tensor:
        """The factors power^(-1/2); 1 where nothing has been measured."""
        scale = self.scale_buffer
        complete = self.is_measured() and self._scale_checked is not None
        if torch.compiler.is_compiling() or not complete:  # else there is no NaN to look for
            scale = torch.where(scale.isnan(), 1.0, scale)
        return scale if self._scale_is_factor else scale.rsqrt()

    @torch.no_grad()
    def fix_scale(self) -> None:
        """Take 1 for everything that has not been measured, from now on."""
        self.scale_buffer.nan_to_num_(nan=1.0)
        self.is_measured()

    @torch.no_grad()
    def forget_scale(self) -> None:
        """Measure again on the next batch, unless the number was given."""
        if self.is_measurable:
            self.scale_buffer.fill_(math.nan)
            self._scale_checked = None

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        super()._apply(fn, recurse)
        if self.given is not None:  # it is in no state: `to_empty` leaves a buffer without numbers
            with torch.no_grad():
                self.scale_buffer.fill_(self.given)
        return self

    def _unmeasured(self) -> str:
        return (
            f"This {type(self).__name__} has not measured its {self.scale_name} yet, which a "
            "compiled or exported program cannot do. Run one batch first, call "
            f"steerable.nn.measure, or give the number where the layer takes it "
            f"({self.scale_name}=...)."
        )

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        super()._load_from_state_dict(state_dict, prefix, *args)
        self._scale_checked = None  # compiled code looks at this alone
        self.is_measured()


def robust_mean_square(x: Tensor, rows: Tensor | None = None) -> Tensor:
    """The mean square of x in float64, to which one row cannot contribute much.

    A row with more than 100 times the power of the row above nine tenths of the others counts 100
    times as much as that row. Derivatives of random clouds stay below; of two points that almost
    coincide they do not.

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
    # Tensors of fixed shapes only, so that it can be compiled: uncounted rows are sorted last.
    ranked = torch.where(positive, power, math.inf).sort().values
    high = (positive.sum() * 9 // 10).clamp(max=x.shape[0] - 1)
    bounded = torch.minimum(power, _LARGEST * ranked.gather(0, high.unsqueeze(0)))
    bounded = torch.where(power.isfinite(), bounded, math.nan)
    return torch.where(counted, bounded, 0.0).sum() / counted.sum()


def has_outliers(x: Tensor) -> Tensor:
    """Whether up to three rows of x (row, channel) outweigh all others.

    Each has more than 10,000 times the mean power of the others that are not 0. They must be fewer
    than these: of two rows that differ neither is an outlier.

    Returns:
        A boolean number; false where a row is not finite.
    """
    power = x.detach().double().square().mean(1)
    # Tensors of fixed shapes only, so that it can be compiled.
    ranked, count = power.sort(descending=True).values, (power > 0).sum()
    rank = torch.arange(power.shape[0], device=power.device)
    outlying = torch.zeros_like(count, dtype=torch.bool)
    for k in range(1, _OUTLIERS + 1):
        smallest = torch.where(rank == k - 1, ranked, 0.0).sum()
        others = torch.where(rank >= k, ranked, 0.0).sum() / (count - k).clamp(min=1)
        outlying = outlying | ((count > 2 * k) & (smallest > _OUTLYING * others))
    return outlying & power.isfinite().all()


def _exporting() -> bool:
    exporting = getattr(torch.compiler, "is_exporting", torch.compiler.is_compiling)
    return bool(exporting())
