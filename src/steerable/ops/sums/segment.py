"""Reductions over the rows of a tensor that share an index.

Every one can be differentiated twice, and compiled.

Sums are exact to 1e-6 in single precision: where a segment may have many rows, and in compiled
code, they are accumulated in float64. Sums of half precision are accumulated in single precision
at least, those of whole numbers and booleans in int64, as in `torch.sum`.

On a CPU the same rows give the same bits at every call; on a GPU sums run in any order, unless
`torch.use_deterministic_algorithms(True)` is set.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .extreme import extreme, reduced

# float32 numbers added one by one lose 1e-6 of their sum after this many.
_FEW_ROWS = 64
# Entries that are converted to float64 at a time, so that no second copy of all rows is needed.
_CHUNK = 2**18


def segment_sum(x: Tensor, index: Tensor, size: int, dtype: torch.dtype | None = None) -> Tensor:
    """Sum the rows of `x` (item, ...) by `index` (item,): (size, ...).

    A segment without rows gives 0. As in `torch.sum`, `dtype` is that of the accumulation and of
    the result; by default the result has that of `x`, and of whole numbers and booleans int64.
    """
    return _total(x, index, size, dtype).to(dtype or _result(x))


def segment_mean(x: Tensor, index: Tensor, size: int, dtype: torch.dtype | None = None) -> Tensor:
    """Mean of the rows of `x` by `index`: (size, ...).

    A segment without rows gives 0; whole numbers and booleans give fractions. As in `torch.mean`,
    `dtype` is that of the accumulation and of the result; by default the result has that of `x`.
    """
    count = segment_sum(torch.ones_like(index), index, size).clamp(min=1)
    mean = _total(x, index, size, dtype) / count.view(-1, *[1] * (x.dim() - 1))
    return mean if _is_whole(x) else mean.to(dtype or x.dtype)


def segment_max(x: Tensor, index: Tensor, size: int) -> Tensor:
    """Largest entry of every column of `x` by `index`: (size, ...); a segment without rows gives 0.

    Equal largest entries share the gradient evenly.
    """
    return extreme(x, index, size, "amax")


def segment_min(x: Tensor, index: Tensor, size: int) -> Tensor:
    """Smallest entry of every column of `x` by `index`: (size, ...); without rows it is 0.

    Equal smallest entries share the gradient evenly.
    """
    return extreme(x, index, size, "amin")


def segment_softmax(x: Tensor, index: Tensor, size: int) -> Tensor:
    """exp(x) over its sum within every segment: the shape of `x`."""
    weight = torch.exp(x - reduced(x.detach(), index, size).index_select(0, index))
    total = _total(weight, index, size).index_select(0, index)
    return (weight / total).to(weight.dtype)


def _total(x: Tensor, index: Tensor, size: int, dtype: torch.dtype | None = None) -> Tensor:
    """The sums, in the precision they are accumulated in: (size, ...)."""
    wide = dtype or _accumulator(x)
    total = x.new_zeros(size, *x.shape[1:], dtype=wide)
    # Few entries are converted at once, and so is traced code, where a compiler fuses both.
    if x.dtype == wide or torch.compiler.is_compiling() or x.numel() <= _CHUNK:
        return total.index_add_(0, index, x.to(wide))
    rows = max(1, _CHUNK * len(x) // x.numel())
    for part, place in zip(x.split(rows), index.split(rows), strict=True):
        total.index_add_(0, place, part.to(wide))
    return total


def _accumulator(x: Tensor) -> torch.dtype:
    """The dtype in which the rows of `x` are added to sums."""
    if _is_whole(x):
        return torch.int64
    # A rule of shapes alone, since counts of a GPU would have to be waited for: one segment may
    # have all rows. Traced code has no rule: it would be a guard on the number of rows.
    many = torch.compiler.is_compiling() or len(x) > _FEW_ROWS
    exact = many and x.device.type != "mps"
    return torch.promote_types(x.dtype, torch.float64 if exact else torch.float32)


def _result(x: Tensor) -> torch.dtype:
    """The dtype of the sums of `x`."""
    return torch.int64 if _is_whole(x) else x.dtype


def _is_whole(x: Tensor) -> bool:
    """Whether `x` holds whole numbers or booleans, whose own dtype may be too narrow for sums."""
    return not (x.is_floating_point() or x.is_complex())
