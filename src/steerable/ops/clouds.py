"""What the searches and samplings of points share.

Checks of positions, and the clouds of a batch as a rectangle.
"""

from __future__ import annotations

from math import isfinite
from typing import NamedTuple

import torch
from torch import Tensor

from ..tracing import is_traced


class Clouds(NamedTuple):
    """The clouds of a batch, by their number in it.

    Each has its points in the order of their indices.
    """

    numbers: Tensor
    """(cloud,) in ascending order, only those that have points."""
    counts: Tensor
    """(cloud,) how many points each has."""
    order: Tensor
    """(node,) the points, cloud after cloud."""

    @property
    def widest(self) -> int:
        """How many points the largest cloud has."""
        return int(self.counts.max()) if len(self.counts) else 0

    def slots(self) -> tuple[Tensor, Tensor]:
        """Points (cloud, slot), and whether a slot holds one (cloud, slot).

        Slots that hold none name point 0.
        """
        taken = torch.arange(self.widest, device=self.order.device) < self.counts[:, None]
        return torch.zeros_like(taken, dtype=torch.long).masked_scatter(taken, self.order), taken


def clouds(batch: Tensor | None, pos: Tensor) -> Clouds:
    """Sort points (node, d) by their clouds `batch` (node,), in any order.

    Without `batch` all points are in cloud 0.
    """
    if batch is None:
        batch = torch.zeros(len(pos), dtype=torch.long, device=pos.device)
    ordered, order = torch.sort(batch, stable=True)
    numbers, counts = torch.unique_consecutive(ordered, return_counts=True)
    return Clouds(numbers, counts, order)


def check_finite(pos: Tensor, name: str = "node") -> None:
    """Raise ValueError unless all positions (node, d) are finite.

    The error says which `name`s are at fault.
    """
    if is_traced(pos):
        return
    if not pos.numel() or isfinite(pos.detach().abs().max()):  # a NaN wins, in one look
        return
    bad = torch.nonzero(~torch.isfinite(pos).all(-1)).flatten()[:5].tolist()
    raise ValueError(f"Positions must be finite; those of {name}s {bad} are NaN or infinite.")


def check_points(pos: Tensor, batch: Tensor | None, name: str = "node") -> None:
    """Raise ValueError unless `pos` is finite numbers and `batch`, if any, integers.

    `pos` is (node, d) and `batch` (node,).
    """
    if pos.dim() != 2 or not pos.is_floating_point():
        raise ValueError(
            f"Positions are floating-point numbers ({name}, d); got {pos.dtype} {tuple(pos.shape)}."
        )
    check_finite(pos, name)
    if batch is not None and (batch.shape != pos.shape[:1] or batch.is_floating_point()):
        raise ValueError(
            f"batch names the graph of every {name}: {len(pos)} integers; got {batch.dtype} "
            f"{tuple(batch.shape)}."
        )
