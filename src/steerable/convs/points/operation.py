"""The neighbour sum as operations of torch, for programs that torch.compile makes.

Their arguments are tensors and texts from which any process rebuilds paths and order: an operation
is a function of its arguments and of nothing else. First and second derivatives are operations of
their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ...layers import Constants, Recipe
from ...ops import Inputs, neighbourhoods, pull, pull_twice, run
from .cost import ENGINES
from .neighbour_sum import NeighbourSum

_ARGUMENTS = (
    "Tensor[] tensors, int[] counts, Tensor[] constants, Tensor edge_index, SymInt size, "
    "str engine, str recipe"
)


def neighbour_sum(kernel: NeighbourSum, inputs: Inputs, edge_index: Tensor, size: int) -> Tensor:
    """`ops.blockwise` as one operation."""
    place, value = kernel.constants.place, kernel.constants.value
    assert place is not None and value is not None
    constants = [*kernel.constants.tensors, *kernel.constants.coupled, place, value]
    result: Tensor = torch.ops.steerable.neighbour_sum(
        inputs.tensors,
        list(inputs.counts),
        constants,
        edge_index,
        size,
        kernel.engine.name,
        kernel.recipe.text,
    )
    return result


def _kernel(constants: Sequence[Tensor], engine: str, text: str) -> NeighbourSum:
    recipe = Recipe.from_text(text)
    paths = len(recipe.layout.paths)
    *coupled, place, value = constants[paths:]
    return NeighbourSum(
        ENGINES[engine], recipe, Constants(constants[:paths], coupled, place, value)
    )


@torch.library.custom_op(
    "steerable::neighbour_sum", mutates_args=(), schema=f"({_ARGUMENTS}) -> Tensor"
)
def _sum(
    tensors: Any, counts: Any, constants: Any, edge_index: Any, size: int, engine: str, recipe: str
) -> Tensor:
    kernel = _kernel(constants, engine, recipe)
    return run(kernel, neighbourhoods(edge_index, size), tuple(counts), tensors)


@_sum.register_fake
def _(
    tensors: Any, counts: Any, constants: Any, edge_index: Any, size: int, engine: str, recipe: str
) -> Tensor:
    return tensors[counts[0]].new_empty(size, Recipe.from_text(recipe).layout.width)


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
    constants: Any,
    edge_index: Any,
    size: int,
    engine: str,
    recipe: str,
) -> list[Tensor]:
    kernel, hood = _kernel(constants, engine, recipe), neighbourhoods(edge_index, size)
    gradients = pull(kernel, hood, tuple(counts), needs, grad.contiguous(), tensors)
    return [gradient for gradient in gradients if gradient is not None]


@_backward.register_fake
def _(
    grad: Any,
    needs: Any,
    tensors: Any,
    counts: Any,
    constants: Any,
    edge_index: Any,
    size: int,
    engine: str,
    recipe: str,
) -> list[Tensor]:
    pairs = zip(tensors, needs, strict=True)
    return [torch.empty_like(t, memory_format=torch.contiguous_format) for t, need in pairs if need]


@torch.library.custom_op(
    "steerable::neighbour_sum_backward_twice",
    mutates_args=(),
    schema=f"(Tensor grad, Tensor[] second, bool[] needs, {_ARGUMENTS}) -> Tensor[]",
)
def _backward_twice(
    grad: Any,
    second: Any,
    needs: Any,
    tensors: Any,
    counts: Any,
    constants: Any,
    edge_index: Any,
    size: int,
    engine: str,
    recipe: str,
) -> list[Tensor]:
    kernel, hood = _kernel(constants, engine, recipe), neighbourhoods(edge_index, size)
    rest = iter(second)
    changes = [next(rest) if need else None for need in needs]
    gradients = pull_twice(kernel, hood, tuple(counts), needs, grad.contiguous(), tensors, changes)
    return [gradient for gradient in gradients if gradient is not None]


@_backward_twice.register_fake
def _(
    grad: Any,
    second: Any,
    needs: Any,
    tensors: Any,
    counts: Any,
    constants: Any,
    edge_index: Any,
    size: int,
    engine: str,
    recipe: str,
) -> list[Tensor]:
    changed = [grad, *(t for t, need in zip(tensors, needs, strict=True) if need)]
    return [torch.empty_like(t, memory_format=torch.contiguous_format) for t in changed]


def _save(ctx: Any, inputs: Any, output: Any) -> None:
    tensors, ctx.counts, constants, edge_index, *ctx.rest = inputs
    ctx.needs = [tensor.requires_grad for tensor in tensors]
    ctx.constants = len(constants)
    ctx.save_for_backward(edge_index, *constants, *tensors)


def _gradient(ctx: Any, grad: Tensor) -> Any:
    edge_index, *others = ctx.saved_tensors
    constants, tensors = others[: ctx.constants], others[ctx.constants :]
    gradients = torch.ops.steerable.neighbour_sum_backward(
        grad, ctx.needs, tensors, ctx.counts, constants, edge_index, *ctx.rest
    )
    return _spread(gradients, ctx)


def _save_backward(ctx: Any, inputs: Any, output: Any) -> None:
    grad, ctx.needs, tensors, ctx.counts, constants, edge_index, *ctx.rest = inputs
    ctx.constants = len(constants)
    ctx.save_for_backward(grad, edge_index, *constants, *tensors)


def _gradient_of_backward(ctx: Any, second: Any) -> Any:
    grad, edge_index, *others = ctx.saved_tensors
    constants, tensors = others[: ctx.constants], others[ctx.constants :]
    needed = [t for t, need in zip(tensors, ctx.needs, strict=True) if need]
    pairs = zip(needed, second, strict=True)
    changes = [torch.zeros_like(t) if s is None else s for t, s in pairs]
    first, *gradients = torch.ops.steerable.neighbour_sum_backward_twice(
        grad, changes, ctx.needs, tensors, ctx.counts, constants, edge_index, *ctx.rest
    )
    return first, None, *_spread(gradients, ctx)


def _spread(gradients: Sequence[Tensor], ctx: Any) -> tuple[Any, ...]:
    """Gradients of what is needed in the structure of all arguments, from `tensors` on."""
    rest = iter(gradients)
    of_tensors = [next(rest) if need else None for need in ctx.needs]
    return of_tensors, None, [None] * ctx.constants, None, None, None, None


_sum.register_autograd(_gradient, setup_context=_save)
_backward.register_autograd(_gradient_of_backward, setup_context=_save_backward)
