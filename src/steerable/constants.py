"""Modules whose constants stay exact in every precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn


class ConstantModule(nn.Module):
    """A module with constant tensors that are solved in float64.

    Constants follow the module's device and dtype as non-persistent buffers, so they are no part of
    `state_dict`; each change of dtype starts from the float64 value, so `module.double()` is exact
    to float64 even where the module was made or trained in float32.
    """

    def __init__(self) -> None:
        super().__init__()
        self._exact: dict[str, Tensor] = {}

    def register_constant(self, name: str, value: Tensor) -> None:
        """Keep `value`, float64 or integer, as `self.name`."""
        self._exact[name] = value
        used = value.to(torch.get_default_dtype()) if value.is_floating_point() else value
        self.register_buffer(name, used, persistent=False)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        super()._apply(fn, recurse)
        for name, exact in self._exact.items():
            buffer = self._buffers[name]
            assert buffer is not None
            self._buffers[name] = exact.to(device=buffer.device, dtype=buffer.dtype)
        return self
