"""Training steps that take gradients inside, such as forces, compiled and checked."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_TOLERANCE = {torch.float64: 1e-8, torch.float32: 2e-3}  # relative, of sums in another order


class CompileWarning(UserWarning):
    """A step runs eagerly, because its compiled form failed or gave other numbers."""


def compiled_step(
    step: Callable[Arguments, Result], dynamic: bool | None = True, **options: Any
) -> Callable[Arguments, Result]:
    """`torch.compile` of a training step on energies and forces.

    The step calls `torch.autograd.grad` itself: once for the forces, with `create_graph=True`, and
    once for the gradients of the loss with respect to the parameters, which it returns. The first
    call runs both forms of the step and compares them; if compiling fails or a number differs, the
    step runs eagerly from then on, after one warning.

    Args:
        step: from tensors to tensors, in any nesting. It must not change the parameters: the
            optimiser steps outside.
        dynamic: whether one program serves graphs of all sizes, as for `torch.compile`.
        **options: others of `torch.compile`, such as `backend`.

    Returns:
        The compiled step.

    Example::

        def step(z, pos, edge_index, batch, energy, forces):
            pos = pos.detach().requires_grad_()
            predicted = model(z, pos, batch, edge_index, energy.shape[0])
            (gradient,) = torch.autograd.grad(predicted.sum(), pos, create_graph=True)
            loss = (predicted - energy).square().mean() + (gradient + forces).square().mean()
            return loss.detach(), torch.autograd.grad(loss, parameters)

        step = compiled_step(step)
        loss, gradients = step(z, pos, edge_index, batch, energy, forces)
        for parameter, gradient in zip(parameters, gradients):
            parameter.grad = gradient
        optimizer.step()
    """
    compiled = torch.compile(step, fullgraph=True, dynamic=dynamic, **options)
    state = {"checked": False, "eager": False}

    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        if state["eager"]:
            return step(*args, **kwargs)
        if state["checked"]:
            return _traced(compiled, *args, **kwargs)
        exact = step(*args, **kwargs)
        try:
            difference = _difference(_traced(compiled, *args, **kwargs), exact)
            reason = f"its numbers differ by {difference:.1e}" if difference > 1 else ""
        except Exception as error:  # compilers fail in every way
            reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        state["checked"], state["eager"] = True, bool(reason)
        if reason:
            warnings.warn(
                f"The compiled step is not used ({reason}); it runs eagerly.",
                CompileWarning,
                stacklevel=2,
            )
        return exact

    return run


def _traced(step: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
    """The compiled step, whose calls of torch.autograd.grad become a part of the program."""
    from torch._dynamo import config  # takes a second to import

    with config.patch(trace_autograd_ops=True):
        return step(*args, **kwargs)


def _difference(values: Any, exact: Any) -> float:
    """The largest difference of two nested results, in units of what rounding explains."""
    largest = 0.0
    for value, reference in zip(tree_leaves(values), tree_leaves(exact), strict=True):
        if isinstance(reference, Tensor) and reference.is_floating_point() and reference.numel():
            tolerance = _TOLERANCE.get(reference.dtype, 5e-2)
            size = float(reference.abs().max()) or 1.0
            error = float((value - reference).abs().max()) / size / tolerance
            largest = max(largest, error if error == error else float("inf"))
    return largest
