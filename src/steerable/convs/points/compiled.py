"""The neighbour sum as one operation for `torch.compile`.

It cannot trace blocks whose sizes depend on the data.

Everything around it is traced and fused. First derivatives only: compiled graphs have no second
ones.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ...ops import Inputs, neighbourhoods, pull, run
from .cost import ENGINES
from .neighbour_sum import NeighbourSum

# An operation runs below autograd; its gradients, which use autograd inside, run with the
# dispatcher as it is outside.
_OUTSIDE = torch._C._dispatch_tls_local_include_set(), torch._C._dispatch_tls_local_exclude_set()

_LAYERS: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
_NUMBERS = itertools.count()

_ARGUMENTS = (
    "Tensor[] tensors, int[] counts, Tensor edge_index, SymInt size, int layer, str engine, bool[] "
    "options"
)


def register(layer: Any) -> int:
    """A number by which the operation finds a layer with a filter and a contraction."""
    number = next(_NUMBERS)
    _LAYERS[number] = layer
    return number


def compiled_sum(
    kernel: NeighbourSum, inputs: Inputs, edge_index: Tensor, size: int, layer: int
) -> Tensor:
    """`ops.blockwise` of the kernel of a registered layer."""
    tensors = [*inputs.edge, *inputs.source, *inputs.target, *kernel.parameters()]
    counts = [len(inputs.edge), len(inputs.source), len(inputs.target)]
    options = [kernel.inside, *kernel.attributes]
    result: Tensor = torch.ops.steerable.neighbour_sum(
        tensors, counts, edge_index, size, layer, kernel.engine.name, options
    )
    return result


def _kernel(layer: int, engine: str, options: Sequence[bool]) -> NeighbourSum:
    found = _LAYERS[layer]
    return NeighbourSum(
        found.filter, found.contraction, ENGINES[engine], options[0], (options[1], options[2])
    )


@torch.library.custom_op(
    "steerable::neighbour_sum", mutates_args=(), schema=f"({_ARGUMENTS}) -> Tensor"
)
def _sum(
    tensors: Any, counts: Any, edge_index: Any, size: int, layer: int, engine: str, options: Any
) -> Tensor:
    return run(
        _kernel(layer, engine, options), neighbourhoods(edge_index, size), tuple(counts), tensors
    )


@_sum.register_fake
def _(
    tensors: Any, counts: Any, edge_index: Any, size: int, layer: int, engine: str, options: Any
) -> Tensor:
    return tensors[counts[0]].new_empty(size, _kernel(layer, engine, options).width)


@torch.library.custom_op(
    "steerable::neighbour_sum_backward",
    mutates_args=(),
    schema=f"(Tensor grad, bool[] needs, {_ARGUMENTS}) -> Tensor[]",
)
def _backward(
    grad: Any,
    needs: Any,
    tensors: Any,
    counts: Any,
    edge_index: Any,
    size: int,
    layer: int,
    engine: str,
    options: Any,
) -> list[Tensor]:
    kernel, hood = _kernel(layer, engine, options), neighbourhoods(edge_index, size)
    with torch._C._ForceDispatchKeyGuard(*_OUTSIDE):
        found = pull(kernel, hood, tuple(counts), needs, grad, tensors)
    return [gradient for gradient in found if gradient is not None]


@_backward.register_fake
def _(
    grad: Any,
    needs: Any,
    tensors: Any,
    counts: Any,
    edge_index: Any,
    size: int,
    layer: int,
    engine: str,
    options: Any,
) -> list[Tensor]:
    return [torch.empty_like(tensor) for tensor, need in zip(tensors, needs, strict=True) if need]


def _keep(ctx: Any, inputs: Any, output: Any) -> None:
    tensors, ctx.counts, edge_index, ctx.size, ctx.layer, ctx.engine, ctx.options = inputs
    ctx.needs = [tensor.requires_grad for tensor in tensors]
    ctx.save_for_backward(edge_index, *tensors)


def _gradient(ctx: Any, grad: Tensor) -> Any:
    edge_index, *tensors = ctx.saved_tensors
    arguments = (ctx.counts, edge_index, ctx.size, ctx.layer, ctx.engine, ctx.options)
    found = iter(torch.ops.steerable.neighbour_sum_backward(grad, ctx.needs, tensors, *arguments))
    return [next(found) if need else None for need in ctx.needs], None, None, None, None, None, None


_sum.register_autograd(_gradient, setup_context=_keep)
