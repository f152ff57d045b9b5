"""Reductions over the rows of a tensor that share an index.

Every one can be differentiated twice, and compiled.

On a CPU the same rows give the same bits at every call; on a GPU sums run in any order, unless
`torch.use_deterministic_algorithms(True)` is set. Sums of half precision are accumulated in single
precision.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ...tracing import transforms_active


def segment_sum(x: Tensor, index: Tensor, size: int) -> Tensor:
    """Sum the rows of `x` (item, ...) by `index` (item,): (size, ...).

    A segment without rows gives 0.
    """
    return _total(x, index, size).to(x.dtype)


def segment_mean(x: Tensor, index: Tensor, size: int) -> Tensor:
    """Mean of the rows of `x` by `index`: (size, ...).

    A segment without rows gives 0, whole numbers give fractions.
    """
    count = segment_sum(torch.ones_like(index), index, size).clamp(min=1)
    mean = _total(x, index, size) / count.view(-1, *[1] * (x.dim() - 1))
    return mean.to(x.dtype) if x.is_floating_point() else mean


def segment_max(x: Tensor, index: Tensor, size: int) -> Tensor:
    """Largest entry of every column of `x` by `index`: (size, ...); a segment without rows gives 0.

    Equal largest entries share the gradient evenly.
    """
    # Both follow operations of torch only; a compiler makes its own backward.
    if torch.compiler.is_compiling() or transforms_active([x]):
        return _largest(x, index, size)
    largest: Tensor = _Max.apply(x, index, size)
    return largest


def segment_softmax(x: Tensor, index: Tensor, size: int) -> Tensor:
    """exp(x) over its sum within every segment: the shape of `x`."""
    weight = torch.exp(x - _largest(x.detach(), index, size).index_select(0, index))
    total = _total(weight, index, size).index_select(0, index)
    return (weight / total).to(x.dtype)


def _total(x: Tensor, index: Tensor, size: int) -> Tensor:
    """The sums in single precision at least: those of bfloat16 would stop growing at 256 ones."""
    wide = torch.promote_types(x.dtype, torch.float32) if x.is_floating_point() else x.dtype
    return x.new_zeros(size, *x.shape[1:], dtype=wide).index_add_(0, index, x.to(wide))


def _largest(x: Tensor, index: Tensor, size: int) -> Tensor:
    spread = index.long().view(-1, *[1] * (x.dim() - 1)).expand_as(x)
    return x.new_zeros(size, *x.shape[1:]).scatter_reduce(0, spread, x, "amax", include_self=False)


class _Max(torch.autograd.Function):
    """The maximum, with a gradient that moves whole rows.

    It is 3 to 6 times faster than that of `scatter_reduce`.
    """

    @staticmethod
    def forward(x: Tensor, index: Tensor, size: int) -> Tensor:
        return _largest(x, index, size)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, int], output: Tensor) -> None:
        x, index, _ = inputs
        ctx.save_for_backward(x, index, output)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        x, index, largest = ctx.saved_tensors
        won = largest.detach().index_select(0, index).eq_(x.detach())
        share = gradient / segment_sum(won, index, len(largest)).clamp_(min=1)
        return share.index_select(0, index).mul_(won), None, None
