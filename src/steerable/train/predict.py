"""The predictions of a network for all items of a data set."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from steerable.data import Batches, Items
from steerable.deploy import placement
from steerable.models import AtomNetwork, named_outputs


def predict(
    model: nn.Module, items: Items, size: int = 256, output: str = "prediction"
) -> dict[str, Tensor]:
    """The predictions in float64 by name (row, ...), `size` items at a time.

    They are computed where the network is, and returned on the CPU.

    Args:
        model: called with the inputs of a batch.
        items: what to predict.
        size: items in a batch.
        output: name of a prediction that is one tensor.
    """
    device, dtype = placement(model)
    if isinstance(model, AtomNetwork):
        dtype = torch.float64  # it subtracts positions before it rounds
    parts: dict[str, list[Tensor]] = {}
    for *inputs, _ in Batches(items, size):
        moved = [None if x is None else _moved(x, device, dtype) for x in inputs]
        with torch.no_grad():
            outputs = named_outputs(model(*moved), output)
        for name, value in outputs.items():
            parts.setdefault(name, []).append(value.detach().double().cpu())
    return {name: torch.cat(values) for name, values in parts.items()}


def _moved(x: Tensor, device: torch.device, dtype: torch.dtype) -> Tensor:
    return x.to(device, dtype if x.is_floating_point() else None)
