"""Modules whose constants stay exact in every precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn


class ConstantModule(nn.Module):
    """A module with tensors that are known in float64.

    Constants follow the module's device and dtype as non-persistent buffers, so they are no part of
    `state_dict`; each change of dtype starts from the float64 value, so `module.double()` is exact
    to float64 even where the module was made or trained in float32.

    Exact buffers are part of `state_dict` and keep their dtype, whatever the module is cast to.
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
