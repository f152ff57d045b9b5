"""Modules whose constants stay exact in every precision."""

from __future__ import annotations

import inspect
from abc import ABCMeta
from collections.abc import Callable
from typing import Any, Self

import torch
from torch import Tensor, nn


class _BuiltOnCPU(ABCMeta):
    """Modules are built on the CPU and then moved to the default device.

    Constants are solved with numpy and need values, which the meta device has not. So `with
    torch.device("meta")` gives a module whose constants are right after `to_empty`.
    """

    @property
    def __signature__(cls) -> inspect.Signature:
        """That of the constructor, which `help` and `inspect` would not see behind `__call__`."""
        signature = inspect.signature(cls.__init__)  # type: ignore[misc]  # of the class at hand
        return signature.replace(parameters=list(signature.parameters.values())[1:])

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        device = torch.get_default_device()
        if device.type == "cpu":
            return super().__call__(*args, **kwargs)
        for value in (*args, *kwargs.values()):
            for part in value if isinstance(value, list | tuple) else [value]:
                if isinstance(part, nn.Module):  # a filter becomes a part of the module
                    _to_cpu(part)
        with torch.device("cpu"):
            module = super().__call__(*args, **kwargs)
        return module.to(device)


def _to_cpu(module: nn.Module) -> None:
    if not any(tensor.is_meta for tensor in (*module.parameters(), *module.buffers())):
        module.to("cpu")
        return
    module.to_empty(device="cpu")
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.fill_(1)  # some number: it ends on the meta device again


class ConstantModule(nn.Module, metaclass=_BuiltOnCPU):
    """A module with tensors that are known in float64.

    Constants follow the module's device and dtype as non-persistent buffers, so they are no part of
    `state_dict`; each change of dtype starts from the float64 value, so `module.double()` is exact
    to float64 even where the module was made or trained in float32.

    Exact buffers are part of `state_dict` and keep their dtype, whatever the module is cast to and
    whatever is loaded. States that hold them in half precision are refused.
    """

    def __init__(self) -> None:
        super().__init__()
        self._exact: dict[str, Tensor] = {}
        self._wide: tuple[str, ...] = ()

    def register_constant(self, name: str, value: Tensor) -> None:
        """Keep `value`, float64 or integer, as `self.name`."""
        self._exact[name] = value
        used = value.to(torch.get_default_dtype()) if value.is_floating_point() else value
        self.register_buffer(name, used, persistent=False)

    def register_exact(self, name: str, value: Tensor) -> None:
        """Keep `value` as `self.name`: a persistent buffer that is moved, and never cast."""
        self._wide = (*self._wide, name)
        self.register_buffer(name, value)

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        before = {name: self.get_buffer(name).dtype for name in self._wide}
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )
        for name, dtype in before.items():
            self._buffers[name] = self.get_buffer(name).to(dtype)  # assign=True takes any dtype
            value = state_dict.get(prefix + name)
            if isinstance(value, Tensor) and _is_rounded(value):
                error_msgs.append(
                    f"{prefix + name} needs float32 or float64, since half precision rounds it too "
                    f"coarsely; got {value.dtype}. Save the state without casting this tensor."
                )

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        before = {name: self.get_buffer(name) for name in self._wide}
        super()._apply(fn, recurse)
        for name, exact in self._exact.items():
            buffer = self.get_buffer(name)
            self._buffers[name] = exact.to(device=buffer.device, dtype=buffer.dtype)
        for name, exact in before.items():
            buffer = self.get_buffer(name)
            if buffer.dtype != exact.dtype:
                self._buffers[name] = exact.to(buffer.device)
        return self


def _is_rounded(value: Tensor) -> bool:
    """Whether numbers may have been rounded to half precision; 0 and 1 are exact in any."""
    half = value.is_floating_point() and torch.finfo(value.dtype).bits < 32
    return half and not value.is_meta and not bool(((value == 0) | (value == 1)).all())
