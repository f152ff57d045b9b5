"""Largest and smallest entries of the rows that share an index."""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from ...tracing import transforms_active


def extreme(x: Tensor, index: Tensor, size: int, which: str) -> Tensor:
    """Largest (`amax`) or smallest (`amin`) entries (size, ...) of `x` (item, ...) by `index`.

    A segment without rows gives 0. Equal ones share the gradient evenly.
    """
    # Both follow operations of torch only; a compiler makes its own backward.
    if torch.compiler.is_compiling() or transforms_active([x]):
        return reduced(x, index, size, which)
    result: Tensor = _Extreme.apply(x, index, size, which)
    return result


def reduced(x: Tensor, index: Tensor, size: int, which: str = "amax") -> Tensor:
    """The same in operations of torch, whose gradient is slow."""
    spread = index.long().view(-1, *[1] * (x.dim() - 1)).expand_as(x)
    return x.new_zeros(size, *x.shape[1:]).scatter_reduce(0, spread, x, which, include_self=False)


class _Extreme(torch.autograd.Function):
    """The extreme entries, with a gradient that moves whole rows.

    It is 3 to 6 times faster than that of `scatter_reduce`.
    """

    @staticmethod
    def forward(x: Tensor, index: Tensor, size: int, which: str) -> Tensor:
        if _serves_torch_scatter(x):
            return scattered(x, index, size, which)
        return reduced(x, index, size, which)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, int, str], output: Tensor) -> None:
        x, index, *_ = inputs
        ctx.save_for_backward(x, index, output)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        x, index, extremes = ctx.saved_tensors
        won = extremes.detach().index_select(0, index).eq_(x.detach())
        # Counts in half precision would stop growing at 256.
        counted = won.to(torch.promote_types(won.dtype, torch.float32))
        winners = counted.new_zeros(extremes.shape).index_add_(0, index, counted)
        share = gradient / winners.to(won.dtype).clamp_(min=1)
        return share.index_select(0, index).mul_(won), None, None, None


def scattered(x: Tensor, index: Tensor, size: int, which: str) -> Tensor:
    """The same by torch-scatter, which must be installed; of finite entries."""
    scatter = _torch_scatter()
    assert scatter is not None
    function = scatter.scatter_max if which == "amax" else scatter.scatter_min
    values: Tensor = function(x, index.long(), 0, dim_size=size)[0]
    return values


def _serves_torch_scatter(x: Tensor) -> bool:
    """Whether torch-scatter is there for `x`: a tensor on CUDA, no fake one of a tracer."""
    return x.is_cuda and type(x) in (Tensor, nn.Parameter) and _torch_scatter() is not None


@cache
def _torch_scatter() -> ModuleType | None:
    try:
        import torch_scatter
    except (ImportError, OSError):  # absent, or built for another torch
        return None
    return torch_scatter
