"""Batches of items that are stored in tensors, in an order that a run can resume."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import torch
from torch import Tensor

Change = Callable[[Any, torch.Generator], Any]


class Items(Protocol):
    """Items of a data set, stored in flat tensors."""

    def __len__(self) -> int: ...

    def batch(self, index: Tensor) -> tuple[Any, ...]:
        """The items with the given indices (item,), as a tuple.

        It holds the inputs of the network and, last, what the network should predict: a tensor, or
        tensors by name, in which a row that has a NaN is missing.
        """


class Batches:
    """Iterates over all items in batches, in a new random order every epoch or in a fixed one.

    The position in the data can be saved and restored, so that a run can resume within an epoch.

    Args:
        items: the items.
        size: the number of items in a batch; the last batch may have fewer.
        seed: the seed of the orders; None keeps the order of the items.
        change: a function that is applied to each batch, with a generator that depends only on the
            seed, the epoch and the batch.
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
        for index, seed in parts[self._position :]:
            self._position += 1
            batch = self.items.batch(index)
            yield self.change(batch, torch.Generator().manual_seed(seed)) if self.change else batch

    def state_dict(self) -> dict[str, int]:
        """The epoch and the position of the next batch."""
        return {"epoch": self._epoch, "position": self._position}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Resume at a position saved by `state_dict`."""
        self._epoch, self._position = state["epoch"], state["position"]
