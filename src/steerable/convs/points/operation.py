"""The neighbour sum as operations of torch, for programs that torch.compile makes.

Their arguments are tensors and texts from which any process rebuilds paths and order: an operation
is a function of its arguments and of nothing else. First and second derivatives are operations of
their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import torch
from torch import Tensor

from ...layers import Recipe
from ...ops import Inputs, pull, pull_twice, run
from .arguments import Described, check_derivative
from .neighbour_sum import NeighbourSum

Result = TypeVar("Result")

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


def _sum(
    tensors: Any, counts: Any, constants: Any, edge_index: Any, size: int, engine: str, recipe: str
) -> Tensor:
    described = Described.of(tensors, counts, constants, edge_index, size, engine, recipe)
    return run(*described, tensors)


def _fake_sum(
    tensors: Any, counts: Any, constants: Any, edge_index: Any, size: int, engine: str, recipe: str
) -> Tensor:
    return tensors[counts[0]].new_empty(size, Recipe.from_text(recipe).layout.width)


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
    described = Described.of(tensors, counts, constants, edge_index, size, engine, recipe)
    check_derivative(described, tensors, needs, grad)
    gradients = _above_autograd(
        lambda: pull(*described, needs, grad.contiguous(), tensors), described.kernel.is_derived
    )
    return [gradient for gradient in gradients if gradient is not None]


def _fake_backward(
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
    described = Described.of(tensors, counts, constants, edge_index, size, engine, recipe)
    check_derivative(described, tensors, needs, grad, second)
    rest = iter(second)
    changes = [next(rest) if need else None for need in needs]
    gradients = _above_autograd(
        lambda: pull_twice(*described, needs, grad.contiguous(), tensors, changes)
    )
    return [gradient for gradient in gradients if gradient is not None]


def _above_autograd(function: Callable[[], Result], differentiates: bool = True) -> Result:
    """The result of a function that may differentiate.

    An operation runs below autograd, and the first time below a mode of the compiler that looks at
    its results, where differentiation fails; a new thread starts above them.
    """
    if not differentiates:
        return function()
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(function).result()


def _fake_backward_twice(
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
    ctx.set_materialize_grads(False)  # what has no second derivative costs nothing
    ctx.save_for_backward(grad, edge_index, *constants, *tensors)


def _gradient_of_backward(ctx: Any, second: Any) -> Any:
    grad, edge_index, *others = ctx.saved_tensors
    constants, tensors = others[: ctx.constants], others[ctx.constants :]
    first, *gradients = torch.ops.steerable.neighbour_sum_backward_twice(
        grad, list(second), ctx.needs, tensors, ctx.counts, constants, edge_index, *ctx.rest
    )
    return first, None, *_spread(gradients, ctx)


def _spread(gradients: Sequence[Tensor], ctx: Any) -> tuple[Any, ...]:
    """Gradients of what is needed in the structure of all arguments, from `tensors` on."""
    rest = iter(gradients)
    of_tensors = [next(rest) if need else None for need in ctx.needs]
    return of_tensors, None, [None] * ctx.constants, None, None, None, None


def _register(signature: str, function: Callable[..., Any], fake: Callable[..., Any]) -> None:
    """Define an operation, what it computes, and the shapes of that."""
    name = signature.partition("(")[0]
    _LIBRARY.define(signature, tags=(torch.Tag.pt2_compliant_tag,))
    _LIBRARY.impl(name, function, "CompositeExplicitAutograd")
    _LIBRARY.impl(name, fake, "Meta")


# `torch.library.custom_op` would look for the source of its caller in all modules that are loaded,
# which takes a third of the time that `import steerable.nn` does.
_LIBRARY = torch.library.Library("steerable", "FRAGMENT")
_register(f"neighbour_sum({_ARGUMENTS}) -> Tensor", _sum, _fake_sum)
_register(
    f"neighbour_sum_backward(Tensor grad, bool[] needs, {_ARGUMENTS}) -> Tensor[]",
    _backward,
    _fake_backward,
)
_register(
    "neighbour_sum_backward_twice(Tensor grad, Tensor?[] second, bool[] needs, "
    f"{_ARGUMENTS}) -> Tensor[]",
    _backward_twice,
    _fake_backward_twice,
)
torch.library.register_autograd(
    "steerable::neighbour_sum", _gradient, setup_context=_save, lib=_LIBRARY
)
torch.library.register_autograd(
    "steerable::neighbour_sum_backward",
    _gradient_of_backward,
    setup_context=_save_backward,
    lib=_LIBRARY,
)
