"""What is computed from weights, kept while they hold the same numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ..tracing import is_traced, transforms_active

Value = TypeVar("Value")

_PLAIN = (Tensor, nn.Parameter)


class Memo:
    """The last value of a function of weights, for calls without gradients of these.

    The numbers of the weights are compared with those of the last call. Their versions do not tell:
    fused optimizers, writes to `weight.data`, and NumPy change weights and leave the version as it
    is. Comparing takes a small part of the time of what is kept, but on a GPU it would wait for the
    device: there nothing is kept. Copies and pickles begin without a value.
    """

    def __init__(self) -> None:
        self._last: tuple[list[Tensor], Any] | None = None

    def __call__(self, compute: Callable[[], Value], weights: Sequence[Tensor], x: Tensor) -> Value:
        """`compute()`, which depends on `weights` alone, or the same from an earlier call.

        Args:
            compute: the function.
            weights: what it depends on; a value is kept if no gradient of them is recorded.
            x: the input of the layer; nothing is kept where its numbers are hidden from Python.
        """
        if not _can_keep(weights, x):
            return compute()
        last = self._last
        if last is None or not _equal(last[0], weights):
            # Not in inference mode, since autograd may save the value for gradients of inputs.
            with torch.inference_mode(False), torch.no_grad():
                last = [weight.detach().clone() for weight in weights], compute()
            self._last = last
        value: Value = last[1]
        return value

    def __reduce__(self) -> tuple[Any, ...]:
        return Memo, ()


def _can_keep(weights: Sequence[Tensor], x: Tensor) -> bool:
    """Whether the weights are plain numbers on a CPU whose gradients are not recorded."""
    if is_traced(x) or torch.jit.is_tracing():
        return False
    records = torch.is_grad_enabled()
    for weight in weights:  # no generators: this is most of the time of a small product
        if type(weight) not in _PLAIN or weight.device.type != "cpu":
            return False
        if records and weight.requires_grad:
            return False
    return not transforms_active(weights)


def _equal(before: Sequence[Tensor], weights: Sequence[Tensor]) -> bool:
    for a, b in zip(before, weights, strict=True):
        if a.dtype != b.dtype or not torch.equal(a, b):
            return False
    return True
