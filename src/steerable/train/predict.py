"""The predictions of a network for all items of a data set."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from steerable.data import Batches, Items


def predict(model: nn.Module, items: Items, size: int = 256) -> Tensor:
    """The predictions (item, ...) in float64, `size` items at a time."""
    dtype = next(model.parameters()).dtype
    found = []
    with torch.no_grad():
        for *inputs, _ in Batches(items, size):
            found.append(
                model(*(x.to(dtype) if x.is_floating_point() else x for x in inputs)).double()
            )
    return torch.cat(found)
