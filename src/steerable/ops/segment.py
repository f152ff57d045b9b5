"""Reductions over the rows of a tensor that share an index; every one can be differentiated twice."""

from __future__ import annotations

import torch
from torch import Tensor


def segment_sum(x: Tensor, index: Tensor, size: int) -> Tensor:
    """Sum the rows of `x` (item, ...) by `index` (item,): (size, ...); a segment without rows gives 0."""
    return x.new_zeros(size, *x.shape[1:]).index_add_(0, index, x)


def segment_mean(x: Tensor, index: Tensor, size: int) -> Tensor:
    """Mean of the rows of `x` by `index`: (size, ...); a segment without rows gives 0."""
    count = segment_sum(torch.ones_like(index), index, size).clamp(min=1)
    return segment_sum(x, index, size) / count.view(-1, *[1] * (x.dim() - 1))


def segment_max(x: Tensor, index: Tensor, size: int) -> Tensor:
    """Largest entry of every column of `x` by `index`: (size, ...); a segment without rows gives 0, ties share."""
    spread = index.view(-1, *[1] * (x.dim() - 1)).expand_as(x)
    return x.new_zeros(size, *x.shape[1:]).scatter_reduce(0, spread, x, "amax", include_self=False)


def segment_softmax(x: Tensor, index: Tensor, size: int) -> Tensor:
    """exp(x) over its sum within every segment: the shape of `x`."""
    weight = torch.exp(x - segment_max(x.detach(), index, size).index_select(0, index))
    return weight / segment_sum(weight, index, size).index_select(0, index)
