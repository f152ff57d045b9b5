"""Whether PyTorch only follows the operations on a tensor, so that Python must not look at it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

_TRACER = "torch.fx.experimental.proxy_tensor"  # takes long to import, so only where it is in use


def is_traced(x: Tensor) -> bool:
    """Whether the numbers of a tensor are hidden from Python.

    So it is while a compiler, an exporter or `make_fx` records the operations, in transforms of
    `torch.func`, and for tensors without data. Checks of numbers are left out there.
    """
    if torch.compiler.is_compiling():
        return True
    if x.is_meta or torch._C._are_functorch_transforms_active():  # there is no public question
        return True
    tracer: Any = sys.modules.get(_TRACER)
    if tracer is None:
        return False
    return isinstance(x, tracer.FakeTensor) or tracer.get_proxy_mode() is not None


def saving_hook() -> Callable[..., Any] | None:
    """What is called for every tensor that autograd saves, as `torch.utils.checkpoint` asks for.

    A checkpointed function saves the same tensors again when it is computed again, so that it
    takes nothing that was computed outside of it.
    """
    if torch.compiler.is_compiling():
        return None
    hooks = torch._C._autograd._top_saved_tensors_default_hooks(True)  # no public question
    return None if hooks is None else hooks[0]


def transforms_active(tensors: Iterable[Tensor]) -> bool:
    """Whether a transform of torch.func runs, or one of the tensors carries a forward derivative.

    They follow every operation of torch by itself, but no function with a backward of its own.
    """
    # torch.func has no public question for this; torch.autograd.Function asks the same.
    if torch._C._are_functorch_transforms_active():
        return True
    if torch.compiler.is_compiling():  # a compiler cannot ask a tensor
        return False
    tensors = list(tensors)
    if any(map(torch._C._functorch.is_legacy_batchedtensor, tensors)):
        return True
    if torch.autograd.forward_ad._current_level < 0:  # tangents end with their level
        return False
    return any(torch.autograd.forward_ad.unpack_dual(t).tangent is not None for t in tensors)
