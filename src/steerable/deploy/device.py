"""Where a network runs."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

AUTO = "auto"


class DeviceError(ValueError):
    """A device that is not there."""


def find_device(device: str | torch.device, metadata: dict[str, Any] | None = None) -> torch.device:
    """The device of a name.

    Args:
        device: such as `cpu`, `cuda` or `cuda:1`; `auto` is where the network was trained, or the
            CPU if that device is not here.
        metadata: of the network, for `auto`.

    Raises:
        DeviceError: PyTorch does not know the device, or finds none.
    """
    if device == AUTO:
        trained = (metadata or {}).get("device", "cpu")
        return torch.device(trained if _is_here(trained) else "cpu")
    try:
        target = torch.device(device)
    except RuntimeError as error:
        raise DeviceError(
            f"A device is auto, cpu, cuda or cuda:0, cuda:1, ...; got {device!r}."
        ) from error
    if target.type != "cpu" and not _is_here(target):
        raise DeviceError(
            f"PyTorch finds no {str(target).upper()} device: leave the device out, or ask for cpu."
        )
    return target


def placement(model: nn.Module) -> tuple[torch.device, torch.dtype]:
    """The device and the precision of a network, read from its first floating-point tensor."""
    for tensor in (*model.parameters(), *model.buffers()):
        if tensor.is_floating_point():
            return tensor.device, tensor.dtype
    return torch.device("cpu"), torch.get_default_dtype()


def _is_here(device: str | torch.device) -> bool:
    place = torch.device(device)
    return (
        place.type == "cuda"
        and torch.cuda.is_available()
        and (place.index or 0) < torch.cuda.device_count()
    )
