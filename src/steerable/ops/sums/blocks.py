"""Sums over neighbourhoods, a block of nodes at a time or by loops.

The memory does not grow with the edges.

The backward pass computes every block again and adds its gradients into one buffer per input. (In
one autograd graph over all blocks every gather would make a gradient of the size of all nodes:
quadratic in the size of the graph.)
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from .neighbourhoods import Block, Neighbourhoods


class Inputs(NamedTuple):
    """Tensors by what their rows belong to."""

    edge: Sequence[Tensor]
    source: Sequence[Tensor]
    target: Sequence[Tensor]


class Kernel(Protocol):
    """What is computed in a block of nodes: a function of its inputs and of parameters.

    It gets `slots` = (node, slot), the `mask` (node * slot, 1) of used slots or None, edge and
    source tensors with a row per slot, target tensors with a row per node, and returns (node,
    width). `pull` gives the gradients of inputs (those that `needs` asks for) and parameters,
    `pull_twice` those of `grad`, inputs and parameters of the product of `second` with all that; or
    None where autograd is to find them.
    """

    @property
    def width(self) -> int: ...

    def parameters(self) -> list[Tensor]: ...

    def __call__(self, slots: tuple[int, int], mask: Tensor | None, inputs: Inputs) -> Tensor: ...

    def pull(
        self,
        slots: tuple[int, int],
        mask: Tensor | None,
        inputs: Inputs,
        grad: Tensor,
        needs: Sequence[bool],
    ) -> list[Tensor | None] | None: ...

    def pull_twice(
        self,
        slots: tuple[int, int],
        mask: Tensor | None,
        inputs: Inputs,
        grad: Tensor,
        second: Sequence[Tensor | None],
    ) -> list[Tensor | None] | None: ...

    def loops(self, inputs: Inputs) -> Loops | None:
        """What computes all targets at once; None where there is nothing, and blocks do."""
        ...


class Loops(Protocol):
    """A kernel for all targets at once, and its gradients.

    These are in the order of `Inputs` and then parameters.
    """

    def run(self, hood: Neighbourhoods, inputs: Inputs) -> Tensor: ...

    def pull(
        self, hood: Neighbourhoods, inputs: Inputs, grad: Tensor, needs: Sequence[bool]
    ) -> list[Tensor | None]: ...

    def pull_twice(
        self, hood: Neighbourhoods, inputs: Inputs, grad: Tensor, tangents: Inputs
    ) -> tuple[Tensor, list[Tensor | None]]: ...


def blockwise(
    kernel: Kernel, hood: Neighbourhoods, inputs: Inputs, recompute: bool = True
) -> Tensor:
    """The values of `kernel` at all targets (target, width); targets without edges get 0.

    Args:
        kernel: what is computed in a block.
        hood: the neighbourhoods.
        inputs: tensors with a row per edge, per source and per target.
        recompute: compute every block again in the backward pass instead of keeping what that
            needs.
    """
    if recompute or not torch.is_grad_enabled():
        tensors = [*itertools.chain(*inputs), *kernel.parameters()]
        result: Tensor = _Sum.apply(kernel, hood, _counts(inputs), *tensors)
        return result
    return _kept(kernel, hood, inputs)


def _kept(kernel: Kernel, hood: Neighbourhoods, inputs: Inputs) -> Tensor:
    """The values of `kernel` with an ordinary graph of autograd.

    Every input is gathered once, then cut into blocks.
    """
    sizes = [block.edges.numel() for block in hood.blocks]
    nodes = [len(block.nodes) for block in hood.blocks]
    edge = [t.index_select(0, hood.edges).split(sizes) for t in inputs.edge]
    source = [t.index_select(0, hood.sources).split(sizes) for t in inputs.source]
    target = [t.index_select(0, hood.nodes).split(nodes) for t in inputs.target]
    parts = []
    for k, block in enumerate(hood.blocks):
        own = Inputs([t[k] for t in edge], [t[k] for t in source], [t[k] for t in target])
        parts.append(_call(kernel, block, own))
    zeros = inputs.source[0].new_zeros(hood.size, kernel.width)
    return zeros.index_copy(0, hood.nodes, torch.cat(parts)) if parts else zeros


class _Sum(torch.autograd.Function):
    """The sum, which keeps nothing but its inputs."""

    @staticmethod
    def forward(
        ctx: Any,
        kernel: Kernel,
        hood: Neighbourhoods,
        counts: tuple[int, int, int],
        *tensors: Tensor,
    ) -> Any:
        ctx.arguments = kernel, hood, counts
        ctx.save_for_backward(*tensors)
        return run(kernel, hood, counts, tensors)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        found = _Pull.apply(*ctx.arguments, ctx.needs_input_grad[3:], grad, *ctx.saved_tensors)
        return None, None, None, *found


class _Pull(torch.autograd.Function):
    """The gradients of the sum, themselves differentiable."""

    @staticmethod
    def forward(
        ctx: Any,
        kernel: Kernel,
        hood: Neighbourhoods,
        counts: tuple[int, int, int],
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
        found = _PullTwice.apply(kernel, hood, counts, needs, len(tensors), grad, *tensors, *second)
        return None, None, None, None, *found


class _PullTwice(torch.autograd.Function):
    """The gradients of the gradients, the last."""

    @staticmethod
    def forward(
        ctx: Any,
        kernel: Kernel,
        hood: Neighbourhoods,
        counts: tuple[int, int, int],
        needs: Sequence[bool],
        number: int,
        grad: Tensor,
        *tensors: Tensor | None,
    ) -> Any:
        inputs: Any = tensors[:number]
        return tuple(_pull_twice(kernel, hood, counts, needs, grad, inputs, tensors[number:]))

    @staticmethod
    def backward(ctx: Any, *_: Any) -> Any:
        raise RuntimeError(
            "Third derivatives of a convolution need its blocks to be kept: set recompute=False."
        )


def _counts(inputs: Inputs) -> tuple[int, int, int]:
    return len(inputs.edge), len(inputs.source), len(inputs.target)


def _gathered(
    hood: Neighbourhoods, counts: tuple[int, int, int], tensors: Sequence[Tensor]
) -> Iterator[tuple[Block, list[Tensor], list[Tensor]]]:
    """Every block, which rows of every input it takes, and these rows."""
    for block in hood.blocks:
        edges = block.edges.reshape(-1)
        sources = hood.edge_index[0].index_select(0, edges)
        rows = [edges] * counts[0] + [sources] * counts[1] + [block.nodes] * counts[2]
        yield block, rows, [t.index_select(0, r) for t, r in zip(tensors, rows, strict=False)]


def _inputs(counts: tuple[int, int, int], tensors: Sequence[Tensor]) -> Inputs:
    first, second = counts[0], counts[0] + counts[1]
    return Inputs(tensors[:first], tensors[first:second], tensors[second : second + counts[2]])


def _call(kernel: Kernel, block: Block, inputs: Inputs) -> Tensor:
    return kernel(block.slots, block.flat_mask(inputs.source[0].dtype), inputs)


def run(
    kernel: Kernel, hood: Neighbourhoods, counts: tuple[int, int, int], tensors: Sequence[Tensor]
) -> Tensor:
    """The sum without a graph of autograd.

    `tensors` are those of edges, sources and targets, then parameters.
    """
    inputs = _inputs(counts, tensors)
    if (loops := kernel.loops(inputs)) is not None:
        with torch.no_grad():
            return loops.run(hood, inputs)
    result = tensors[0].new_zeros(hood.size, kernel.width)
    with torch.no_grad():
        for block, _, own in _gathered(hood, counts, tensors):
            result.index_copy_(0, block.nodes, _call(kernel, block, _inputs(counts, own)))
    return result


def pull(
    kernel: Kernel,
    hood: Neighbourhoods,
    counts: tuple[int, int, int],
    needs: Sequence[bool],
    grad: Tensor,
    tensors: Sequence[Tensor],
) -> list[Tensor | None]:
    """The gradients of all inputs and parameters, None where not needed."""
    parameters = _same(kernel, tensors[sum(counts) :])
    inputs = _inputs(counts, tensors)
    if (loops := kernel.loops(inputs)) is not None:
        with torch.no_grad():
            return loops.pull(hood, inputs, grad, needs)
    result = [torch.zeros_like(t) if need else None for t, need in zip(tensors, needs, strict=True)]
    for block, rows, own in _gathered(hood, counts, tensors):
        seen = grad.index_select(0, block.nodes)
        inputs = _inputs(counts, own)
        found = kernel.pull(
            block.slots, block.flat_mask(inputs.source[0].dtype), inputs, seen, needs
        )
        if found is None:
            found = _vjp(kernel, counts, block, own, parameters, needs, seen)
        _add(result, rows, found)
    return result


def _vjp(
    kernel: Kernel,
    counts: tuple[int, int, int],
    block: Block,
    own: Sequence[Tensor],
    parameters: Sequence[Tensor],
    needs: Sequence[bool],
    grad: Tensor,
) -> list[Tensor | None]:
    with torch.enable_grad():
        leaves = [t.detach().requires_grad_(need) for t, need in zip(own, needs, strict=False)]
        y = _call(kernel, block, _inputs(counts, leaves))
        return _grad(y, [*leaves, *parameters], needs, grad)


def _pull_twice(
    kernel: Kernel,
    hood: Neighbourhoods,
    counts: tuple[int, int, int],
    needs: Sequence[bool],
    grad: Tensor,
    tensors: Sequence[Tensor],
    second: Sequence[Tensor | None],
) -> list[Tensor | None]:
    """The gradients of `sum(second * pull)`.

    They are those with respect to the grad of the sum, inputs and parameters.
    """
    parameters = _same(kernel, tensors[sum(counts) :])
    inputs, some = _inputs(counts, tensors), sum(counts)
    if (loops := kernel.loops(inputs)) is not None and all(s is None for s in second[some:]):
        pairs = zip(tensors[:some], second, strict=False)
        tangents = _inputs(counts, [torch.zeros_like(t) if s is None else s for t, s in pairs])
        with torch.no_grad():
            first, others = loops.pull_twice(hood, inputs, grad, tangents)
        return [first, *(part if need else None for part, need in zip(others, needs, strict=True))]
    result: list[Tensor | None] = [torch.zeros_like(grad)]
    result += [
        torch.zeros_like(t) if need else None for t, need in zip(tensors, needs, strict=True)
    ]
    for block, rows, own in _gathered(hood, counts, tensors):
        seen = grad.index_select(0, block.nodes)
        weights = [
            s if s is None or k >= len(rows) else s.index_select(0, rows[k])
            for k, s in enumerate(second)
        ]
        inputs, mask = _inputs(counts, own), block.flat_mask(grad.dtype)
        found = kernel.pull_twice(block.slots, mask, inputs, seen, weights)
        if found is None:
            found = _vjp_twice(kernel, counts, block, own, parameters, needs, seen, weights)
        _add(result, [block.nodes, *rows], found)
    return result


def _vjp_twice(
    kernel: Kernel,
    counts: tuple[int, int, int],
    block: Block,
    own: Sequence[Tensor],
    parameters: Sequence[Tensor],
    needs: Sequence[bool],
    grad: Tensor,
    second: Sequence[Tensor | None],
) -> list[Tensor | None]:
    with torch.enable_grad():
        leaves = [t.detach().requires_grad_(need) for t, need in zip(own, needs, strict=False)]
        seen = grad.detach().requires_grad_()
        y = _call(kernel, block, _inputs(counts, leaves))
        first = _grad(y, [*leaves, *parameters], needs, seen, create_graph=True)
        pairs = zip(first, second, strict=True)
        curved = [(f, w) for f, w in pairs if f is not None and w is not None and f.requires_grad]
    if not curved:
        return [None] * (1 + len(needs))
    values, cotangents = zip(*curved, strict=True)
    return _grad(values, [seen, *leaves, *parameters], [True, *needs], cotangents)


def _grad(
    y: Any, leaves: Sequence[Tensor], needs: Sequence[bool], grad: Any, create_graph: bool = False
) -> list[Tensor | None]:
    chosen = [leaf for leaf, need in zip(leaves, needs, strict=True) if need]
    found = iter(
        torch.autograd.grad(y, chosen, grad, create_graph=create_graph, allow_unused=True)
        if chosen
        else ()
    )
    return [next(found) if need else None for need in needs]


def _add(
    result: Sequence[Tensor | None], rows: Sequence[Tensor], found: Sequence[Tensor | None]
) -> None:
    """Add the gradients of a block to those of all."""
    for k, (total, part) in enumerate(zip(result, found, strict=True)):
        if total is not None and part is not None:
            if k < len(rows):
                total.index_add_(0, rows[k], part)
            else:
                total.add_(part)


def _same(kernel: Kernel, saved: Sequence[Tensor]) -> list[Tensor]:
    """The kernel's parameters, which must still be those of the forward pass."""
    parameters = kernel.parameters()
    if any(a.data_ptr() != b.data_ptr() for a, b in zip(parameters, saved, strict=True)):
        raise RuntimeError(
            "The parameters are no longer those of the forward pass (torch.func.functional_call?), "
            "so blocks cannot be computed again: use recompute=False."
        )
    return parameters
