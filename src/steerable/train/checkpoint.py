"""A trained network as a folder: `model.safetensors`, `config.yaml` and `metadata.json`."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from steerable.deploy import FORMAT, LABELS, METADATA, WEIGHTS, predict_exactly, write

PACKAGES = ("steerable", "torch", "e3nn", "torch-geometric", "lightning", "ase")


def save(
    folder: Path, model: nn.Module, metadata: dict[str, Any], probe: Sequence[Tensor | None]
) -> None:
    """Write the weights and what is needed to use them; each file is whole or the old one.

    The stamp of the conventions is a prediction: the network's output in float64 for one item. It
    changes with every basis, sign, order or normalisation between the input and the output, and
    travels in the file of the weights.

    Args:
        folder: an existing folder.
        model: called as `model(*probe)`.
        metadata: of the network; `task` says how to build it, `model` has the keyword arguments it
            was built with.
        probe: inputs of the network for one item, integers or floating-point numbers; None for
            those that the network does without.
    """
    state = {
        name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()
    }
    inputs = [None if tensor is None else _exact(tensor) for tensor in probe]
    named = predict_exactly(model, inputs)
    # The stamp of a result that is one tensor is a list, as earlier versions wrote it.
    prediction = named["prediction"] if list(named) == ["prediction"] else named
    numbers = [None if x is None else x.tolist() for x in inputs]
    stamp = json.dumps(LABELS | {"inputs": numbers, "prediction": prediction})
    write(folder / WEIGHTS, to_bytes(state, {"conventions": stamp}))
    dtype = str(next(model.parameters()).dtype).removeprefix("torch.")
    full = {
        "format": FORMAT,
        **metadata,
        "dtype": dtype,
        "conventions": LABELS,
        "versions": versions(),
    }
    write(folder / METADATA, (json.dumps(full, indent=2) + "\n").encode())


def versions() -> dict[str, str]:
    """The versions of what makes the numbers."""
    numbers = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            numbers[package] = version(package)
        except PackageNotFoundError:
            numbers[package] = "unknown"
    return numbers


def _exact(x: Tensor) -> Tensor:
    return x.detach().cpu().double() if x.is_floating_point() else x.detach().cpu()
