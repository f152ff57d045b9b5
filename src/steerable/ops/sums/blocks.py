"""Sums over neighbourhoods, a block of nodes at a time or by loops.

In memory that does not grow with the edges. The backward pass computes every block again and adds
its gradients into one buffer per input. (In one autograd graph over all blocks every gather would
make a gradient of the size of all nodes: quadratic in the size of the graph.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

import torch
from torch import Tensor

from ...tracing import transforms_active
from .kernel import Counts, Inputs, Kernel
from .neighbourhoods import Block, Neighbourhoods

Function = Callable[[Inputs], Tensor]
Part = TypeVar("Part", Tensor, Tensor | None)


def blockwise(
    kernel: Kernel, hood: Neighbourhoods, inputs: Inputs, recompute: bool = True
) -> Tensor:
    """The values of `kernel` at all targets (target, width); targets without edges get 0.

    Args:
        kernel: what is computed in a block.
        hood: the neighbourhoods.
        inputs: tensors with a row per edge and per source, and weights.
        recompute: compute every block again in the backward pass instead of keeping what that
            needs. Transforms of torch.func and forward derivatives always keep it.
    """
    if transforms_active(inputs.tensors):
        return _kept(kernel, hood, inputs)
    if not torch.is_grad_enabled():
        return run(kernel, hood, inputs.counts, inputs.tensors)
    if recompute:
        result: Tensor = _Sum.apply(kernel, hood, inputs.counts, *inputs.tensors)
        return result
    return _kept(kernel, hood, inputs)


def _kept(kernel: Kernel, hood: Neighbourhoods, inputs: Inputs) -> Tensor:
    """The values of `kernel` with an ordinary graph of autograd.

    Every input is gathered once, then cut into blocks.
    """
    sizes = [block.edges.numel() for block in hood.blocks]
    edge = [t.index_select(0, hood.edges).split(sizes) for t in inputs.edge]
    source = [t.index_select(0, hood.sources).split(sizes) for t in inputs.source]
    # An empty slice hangs the result on every input: without edges gradients are 0, not absent.
    nothing = torch.stack([t[:0].sum() for t in inputs.tensors]).sum()
    parts = [nothing.expand(0, kernel.width)]
    for k, block in enumerate(hood.blocks):
        block_inputs = Inputs([t[k] for t in edge], [t[k] for t in source], inputs.weights)
        parts.append(_call(kernel, block, block_inputs))
    zeros = parts[-1].new_zeros(hood.size, kernel.width)
    return zeros.index_copy(0, hood.nodes, torch.cat(parts)) + nothing


class _Sum(torch.autograd.Function):
    """The sum, which keeps nothing but its inputs."""

    @staticmethod
    def forward(
        ctx: Any, kernel: Kernel, hood: Neighbourhoods, counts: Counts, *tensors: Tensor
    ) -> Any:
        ctx.arguments = kernel, hood, counts
        ctx.save_for_backward(*tensors)
        return run(kernel, hood, counts, tensors)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        kernel, hood, counts = ctx.arguments
        needs, tensors = ctx.needs_input_grad[3:], ctx.saved_tensors
        if transforms_active([grad]):  # a batch of gradients at once
            gradients = _grad(partial(_kept, kernel, hood), counts, tensors, needs, grad)
        else:
            gradients = _Pull.apply(kernel, hood, counts, needs, grad, *tensors)
        return None, None, None, *gradients


class _Pull(torch.autograd.Function):
    """The gradients of the sum, themselves differentiable."""

    @staticmethod
    def forward(
        ctx: Any,
        kernel: Kernel,
        hood: Neighbourhoods,
        counts: Counts,
        needs: Sequence[bool],
        grad: Tensor,
        *tensors: Tensor,
    ) -> Any:
        ctx.arguments = kernel, hood, counts, needs
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(grad, *tensors)
        return tuple(pull(kernel, hood, counts, needs, grad, tensors))

    @staticmethod
    def backward(ctx: Any, *second: Tensor | None) -> Any:
        kernel, hood, counts, needs = ctx.arguments
        grad, *tensors = ctx.saved_tensors
        if transforms_active([s for s in second if s is not None]):
            function = partial(_kept, kernel, hood)
            gradients = _grad_twice(function, counts, tensors, needs, grad, second)
        else:
            gradients = _PullTwice.apply(
                kernel, hood, counts, needs, len(tensors), grad, *tensors, *second
            )
        return None, None, None, None, *gradients


class _PullTwice(torch.autograd.Function):
    """The gradients of the gradients, the last."""

    @staticmethod
    def forward(
        ctx: Any,
        kernel: Kernel,
        hood: Neighbourhoods,
        counts: Counts,
        needs: Sequence[bool],
        number: int,
        grad: Tensor,
        *tensors: Tensor | None,
    ) -> Any:
        inputs: Any = tensors[:number]
        return tuple(pull_twice(kernel, hood, counts, needs, grad, inputs, tensors[number:]))

    @staticmethod
    def backward(ctx: Any, *_: Any) -> Any:
        raise RuntimeError(
            "Third derivatives of a convolution need its blocks to be kept: set recompute=False."
        )


def run(kernel: Kernel, hood: Neighbourhoods, counts: Counts, tensors: Sequence[Tensor]) -> Tensor:
    """The sum without a graph of autograd; `tensors` are those of edges, sources, and weights."""
    inputs = _inputs(counts, tensors)
    with torch.no_grad():
        if (loops := kernel.loops(inputs)) is not None:
            return loops.run(hood, inputs)
        result = tensors[0].new_zeros(hood.size, kernel.width)
        for block, _, block_inputs in _gathered(hood, inputs):
            result.index_copy_(0, block.nodes, _call(kernel, block, block_inputs))
        return result


def pull(
    kernel: Kernel,
    hood: Neighbourhoods,
    counts: Counts,
    needs: Sequence[bool],
    grad: Tensor,
    tensors: Sequence[Tensor],
) -> list[Tensor | None]:
    """The gradients of all inputs, None where not needed."""
    inputs = _inputs(counts, tensors)
    with torch.no_grad():
        if (loops := kernel.loops(inputs)) is not None:
            return loops.pull(hood, inputs, grad, needs)
        pairs = zip(tensors, needs, strict=True)
        result = [torch.zeros_like(t) if need else None for t, need in pairs]
        for block, rows, block_inputs in _gathered(hood, inputs):
            grad_rows = grad.index_select(0, block.nodes)
            mask = block.flat_mask(grad.dtype)
            gradients = kernel.pull(block.slots, mask, block_inputs, grad_rows, needs)
            if gradients is None:
                gradients = _vjp(
                    partial(_call, kernel, block), counts, block_inputs.tensors, needs, grad_rows
                )
            _add(result, rows, gradients)
        return result


def pull_twice(
    kernel: Kernel,
    hood: Neighbourhoods,
    counts: Counts,
    needs: Sequence[bool],
    grad: Tensor,
    tensors: Sequence[Tensor],
    second: Sequence[Tensor | None],
) -> list[Tensor | None]:
    """The gradients of `sum(second * pull)` with respect to `grad` and to the inputs."""
    inputs, rows_end = _inputs(counts, tensors), sum(counts)
    with torch.no_grad():
        loops = kernel.loops(inputs)
        if loops is not None and all(s is None for s in second[rows_end:]):
            pairs = zip(tensors[:rows_end], second, strict=False)
            changes = [torch.zeros_like(t) if s is None else s for t, s in pairs]
            tangents = _inputs(counts, changes)
            first, others = loops.pull_twice(hood, inputs, grad, tangents)
            chosen = zip(others, needs, strict=True)
            return [first, *(part if need else None for part, need in chosen)]
        result: list[Tensor | None] = [torch.zeros_like(grad)]
        pairs_of_needs = zip(tensors, needs, strict=True)
        result += [torch.zeros_like(t) if need else None for t, need in pairs_of_needs]
        if all(s is None for s in second):
            return result
        for block, rows, block_inputs in _gathered(hood, inputs):
            grad_rows = grad.index_select(0, block.nodes)
            weights = [
                s if s is None or k >= len(rows) else s.index_select(0, rows[k])
                for k, s in enumerate(second)
            ]
            mask = block.flat_mask(grad.dtype)
            gradients = kernel.pull_twice(block.slots, mask, block_inputs, grad_rows, weights)
            if gradients is None:
                function = partial(_call, kernel, block)
                gradients = _vjp_twice(
                    function, counts, block_inputs.tensors, needs, grad_rows, weights
                )
            _add(result, [block.nodes, *rows], gradients)
        return result


def _inputs(counts: Counts, tensors: Sequence[Tensor]) -> Inputs:
    first, second = counts[0], sum(counts)
    return Inputs(tensors[:first], tensors[first:second], tensors[second:])


def _call(kernel: Kernel, block: Block, inputs: Inputs) -> Tensor:
    return kernel(block.slots, block.flat_mask(inputs.source[0].dtype), inputs)


def _gathered(hood: Neighbourhoods, inputs: Inputs) -> Iterator[tuple[Block, list[Tensor], Inputs]]:
    """Every block, which rows of every edge and source tensor it takes, and its inputs."""
    for block in hood.blocks:
        edges = block.edges.reshape(-1)
        sources = hood.edge_index[0].index_select(0, edges)
        rows = [edges] * len(inputs.edge) + [sources] * len(inputs.source)
        edge = [t.index_select(0, edges) for t in inputs.edge]
        source = [t.index_select(0, sources) for t in inputs.source]
        yield block, rows, Inputs(edge, source, inputs.weights)


def _vjp(
    function: Function,
    counts: Counts,
    tensors: Sequence[Tensor],
    needs: Sequence[bool],
    grad: Tensor,
) -> list[Tensor | None]:
    """The gradients of <grad, function> of the inputs that need them, where autograd is off."""
    of_needed, chosen = _function_of_needed(_of_list(function, counts), tensors, needs)
    return _spread(torch.func.vjp(of_needed, *chosen)[1](grad), needs)


def _vjp_twice(
    function: Function,
    counts: Counts,
    tensors: Sequence[Tensor],
    needs: Sequence[bool],
    grad: Tensor,
    second: Sequence[Tensor | None],
) -> list[Tensor | None]:
    """The gradients of <second, _vjp> of `grad` and of the inputs that need them."""
    of_needed, chosen = _function_of_needed(_of_list(function, counts), tensors, needs)
    cotangents = _needed(second, needs)
    # First gradients that nothing depends on, in a step on forces those of weights, are left out.
    used = [cotangent is not None for cotangent in cotangents]

    def gradients(grad: Tensor, *chosen: Tensor) -> tuple[Tensor, ...]:
        of_used, variables = _function_of_needed(lambda every: of_needed(*every), chosen, used)
        return torch.func.vjp(of_used, *variables)[1](grad)

    weights = tuple(cotangent for cotangent in cotangents if cotangent is not None)
    first, *others = torch.func.vjp(gradients, grad, *chosen)[1](weights)
    return [first, *_spread(others, needs)]


def _of_list(function: Function, counts: Counts) -> Callable[[Sequence[Tensor]], Tensor]:
    return lambda tensors: function(_inputs(counts, tensors))


def _function_of_needed(
    function: Callable[[Sequence[Tensor]], Tensor],
    tensors: Sequence[Tensor],
    needs: Sequence[bool],
) -> tuple[Callable[..., Tensor], list[Tensor]]:
    """A function of all inputs as one of those whose gradients are needed, and these."""

    def of_needed(*chosen: Tensor) -> Tensor:
        rest = iter(chosen)
        pairs = zip(tensors, needs, strict=True)
        return function([next(rest) if need else t for t, need in pairs])

    return of_needed, _needed(tensors, needs)


def _grad(
    function: Function,
    counts: Counts,
    tensors: Sequence[Tensor],
    needs: Sequence[bool],
    grad: Tensor,
) -> list[Tensor | None]:
    """As `_vjp`, by autograd, so that `grad` may be a batch of gradients."""
    create_graph = torch.is_grad_enabled()
    with torch.enable_grad():
        variables = _variables(tensors, needs)
        y, needed = function(_inputs(counts, variables)), _needed(variables, needs)
        return _spread(torch.autograd.grad(y, needed, grad, create_graph=create_graph), needs)


def _grad_twice(
    function: Function,
    counts: Counts,
    tensors: Sequence[Tensor],
    needs: Sequence[bool],
    grad: Tensor,
    second: Sequence[Tensor | None],
) -> list[Tensor | None]:
    """As `_vjp_twice`, by autograd, so that `second` may be a batch."""
    create_graph = torch.is_grad_enabled()
    with torch.enable_grad():
        grad, variables = _variable(grad), _variables(tensors, needs)
        gradients = _grad(function, counts, variables, needs, grad)
        pairs = [(g, s) for g, s in zip(gradients, second, strict=True) if g is not None]
        first, *others = torch.autograd.grad(
            [gradient for gradient, s in pairs if s is not None],
            [grad, *_needed(variables, needs)],
            [s for _, s in pairs if s is not None],
            create_graph=create_graph,
            materialize_grads=True,
        )
    return [first, *_spread(others, needs)]


def _variables(tensors: Sequence[Tensor], needs: Sequence[bool]) -> list[Tensor]:
    """Views of the tensors that are needed, none of which depends on another.

    The tensors may: the features of a second layer depend on the edges, as its filter does.
    """
    pairs = zip(tensors, needs, strict=True)
    return [_variable(tensor) if need else tensor for tensor, need in pairs]


def _variable(tensor: Tensor) -> Tensor:
    view = tensor.view_as(tensor)
    return view if view.requires_grad else view.detach().requires_grad_()


def _needed(parts: Sequence[Part], needs: Sequence[bool]) -> list[Part]:
    """Those of all inputs that are needed."""
    return [part for part, need in zip(parts, needs, strict=True) if need]


def _spread(gradients: Sequence[Tensor], needs: Sequence[bool]) -> list[Tensor | None]:
    """Gradients of what is needed in their places among all inputs."""
    rest = iter(gradients)
    return [next(rest) if need else None for need in needs]


def _add(
    result: Sequence[Tensor | None],
    rows: Sequence[Tensor],
    gradients: Sequence[Tensor | None],
) -> None:
    """Add the gradients of a block to those of all."""
    for k, (total, part) in enumerate(zip(result, gradients, strict=True)):
        if total is not None and part is not None:
            if k < len(rows):
                total.index_add_(0, rows[k], part)
            else:
                total.add_(part)
