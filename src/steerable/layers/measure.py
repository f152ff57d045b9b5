"""Measuring the scales of a network over many batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from .measured_scale import MeasuredScale
from .ranks import mean_over_ranks

Call = Callable[[nn.Module, Any], object]


def measure(
    model: nn.Module, batches: Iterable[Any], call: Call | None = None
) -> dict[str, Tensor]:
    """Measure the scales of all layers of a network over batches, in place of the first batch.

    Every layer takes the mean of its powers over the batches (and ranks), each batch counting the
    same. Numbers measured before are replaced; numbers given to layers (`neighbours=...`) stay. The
    network is called in evaluation mode, so that running statistics do not move.

        measure(model, loader, lambda model, batch: model(batch.x, batch.pos, batch.edge_index))

    Args:
        model: a module that holds layers such as PointConv or SteerablePDO.
        batches: a loader, or any iterable of batches; each rank may have its own.
        call: runs the network on a batch; by default `model(*batch)` for tuples and lists,
            `model(**batch)` for mappings and `model(batch)` for anything else.

    Returns:
        The buffers by their names in `model.named_buffers()`. They are NaN where no batch could be
        used, as where no graph has edges; the next batch is measured there.

    Raises:
        ValueError: no batch at all; then nothing is changed.
    """
    modules = model.named_modules()
    layers = {name: m for name, m in modules if isinstance(m, MeasuredScale) and m.is_measurable}
    samples = _record(model, list(layers.values()), batches, call or _call)
    with torch.no_grad():
        for layer, powers in zip(layers.values(), samples, strict=True):
            everywhere = [
                torch.full_like(layer.scale_buffer, torch.nan, dtype=torch.float64),
                *powers,
            ]
            layer.set_power(mean_over_ranks(torch.stack(everywhere).nanmean(0)))
    return {
        f"{name}.{layer.scale_name}".lstrip("."): layer.scale_buffer
        for name, layer in layers.items()
    }


def _record(
    model: nn.Module, layers: list[MeasuredScale], batches: Iterable[Any], call: Call
) -> list[list[Tensor]]:
    """The powers of all batches, for every layer. The network is left as it was."""
    modes = {module: module.training for module in model.modules()}
    before = [layer.scale_buffer.clone() for layer in layers]
    for layer in layers:
        layer.samples = []
    model.eval()
    count = 0
    try:
        for batch in batches:
            call(model, batch)
            count += 1
        samples = [layer.samples or [] for layer in layers]
    finally:
        for layer, scale in zip(layers, before, strict=True):
            layer.samples = None
            layer.scale_buffer.copy_(scale)
        for module, mode in modes.items():
            module.training = mode
    if not count:
        raise ValueError("measure needs at least 1 batch; got none.")
    return samples


def _call(model: nn.Module, batch: Any) -> object:
    if isinstance(batch, tuple | list):
        return model(*batch)
    if isinstance(batch, Mapping):
        return model(**batch)
    return model(batch)
