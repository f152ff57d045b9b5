"""Means over the processes of `torch.distributed`; with one process, ordinary means."""

from __future__ import annotations

import torch
from torch import Tensor, distributed


def ranks() -> int:
    """The number of processes; 1 where `torch.distributed` is not initialised."""
    ready = distributed.is_available() and distributed.is_initialized()
    return distributed.get_world_size() if ready else 1


def mean_over_ranks(values: Tensor) -> Tensor:
    """The mean over the ranks that have a number, NaN where none has. Not differentiable."""
    if ranks() == 1:
        return values
    there = ~values.isnan()
    sums = torch.stack([torch.where(there, values, 0.0), there.to(values)])
    distributed.all_reduce(sums)
    return sums[0] / sums[1]


def mean_of_rows(x: Tensor) -> Tensor:
    """The mean over the rows of all ranks, differentiable: (row, ...) to (1, ...).

    Every rank may have its own number of rows, none included. All ranks have to call it.
    """
    if ranks() == 1:
        return x.mean(0, keepdim=True)
    # Numbers of rows are exact in float32 up to 2^24, so they travel with the sums in float64.
    count = x.new_full((1,), x.shape[0], dtype=torch.float64)
    distributed.all_reduce(count)
    from torch.distributed.nn.functional import all_reduce  # with a gradient; slow to import

    total: Tensor = all_reduce(x.sum(0, keepdim=True))
    return total / count.clamp(min=1).to(x)


@torch.no_grad()
def follow(running: Tensor, batch: Tensor, momentum: float) -> None:
    """Move a running value towards that of a batch, where that is finite."""
    batch = batch.to(running)
    running.lerp_(torch.where(batch.isfinite(), batch, running), momentum)
