"""Ranges of rows of flat tensors, such as the atoms of some molecules."""

from __future__ import annotations

import torch
from torch import Tensor


def ranges(ends: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
    """The ranges `ends[m]:ends[m + 1]` of all m in `index`, concatenated, and their lengths."""
    start, count = ends[index], ends[index + 1] - ends[index]
    # 0, 1, 2, ... counts through the result; the shift makes every range begin at its start.
    shift = start - (count.cumsum(0) - count)
    return torch.arange(int(count.sum())) + shift.repeat_interleave(count), count
