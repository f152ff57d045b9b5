"""Batches of any items that can be cut out of tensors, in an order that a run can go on with."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import torch
from torch import Tensor

Change = Callable[[Any, torch.Generator], Any]


class Items(Protocol):
    """Items of a data set in flat tensors."""

    def __len__(self) -> int: ...

    def batch(self, chosen: Tensor) -> tuple[Any, ...]:
        """The items with the numbers `chosen` (item,).

        The inputs of the network and, last, what it should predict: a tensor, or tensors by name,
        in which a row that has a NaN is missing.
        """


class Batches:
    """All items, a batch at a time, each time in another order or always in the same.

    Its place in the data can be saved and restored, so that a run goes on in the middle of an
    epoch.

    Args:
        items: the items.
        size: items in a batch; the last may have fewer.
        seed: of the orders; None keeps the order.
        change: applied to each batch with a generator that depends on the seed, the epoch and the
            batch alone.
    """

    def __init__(
        self, items: Items, size: int, seed: int | None = None, change: Change | None = None
    ) -> None:
        self.items, self.size, self.seed, self.change = items, size, seed, change
        self._epoch = self._position = 0

    def __len__(self) -> int:
        return math.ceil(len(self.items) / self.size)

    def __iter__(self) -> Iterator[Any]:
        if self._position == len(self):
            self._epoch, self._position = self._epoch + 1, 0
        generator = torch.Generator().manual_seed(((self.seed or 0) << 20) + self._epoch)
        order = torch.arange(len(self.items))
        if self.seed is not None:
            order = torch.randperm(len(order), generator=generator)
        seeds = torch.randint(2**31, (len(self),), generator=generator).tolist()
        parts = list(zip(order.split(self.size), seeds, strict=True))
        for chosen, seed in parts[self._position :]:
            self._position += 1
            batch = self.items.batch(chosen)
            yield self.change(batch, torch.Generator().manual_seed(seed)) if self.change else batch

    def state_dict(self) -> dict[str, int]:
        """Which batch comes next."""
        return {"epoch": self._epoch, "position": self._position}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on as a saved `state_dict` says."""
        self._epoch, self._position = state["epoch"], state["position"]
