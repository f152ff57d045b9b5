"""The folder of a run: its files, and the network in it, loaded without Lightning."""

from __future__ import annotations

import copy
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from steerable.models import builder

WEIGHTS, METADATA, CONFIG = "model.safetensors", "metadata.json", "config.yaml"
FORMAT = 2
LABELS = {"components": "e3nn: l = 1 is x, y, z", "normalization": "component", "layout": "mul_ir"}
TOLERANCE = 1e-6  # of the prediction in float64 that is kept with the weights


class CheckpointError(ValueError):
    """A folder that holds no usable network."""


def load(
    folder: Path | str, build: Callable[..., nn.Module] | None = None
) -> tuple[nn.Module, dict[str, Any]]:
    """The network of a folder, in eval mode on the CPU, and its metadata.

    Args:
        folder: as written by `save`.
        build: makes the network from the keyword arguments in the metadata; that of its task by
            default.

    Raises:
        CheckpointError: the folder is missing, half-written or damaged, or its network has other
            conventions.
    """
    folder = Path(folder)
    metadata = _read_metadata(folder)
    try:
        with safe_open(folder / WEIGHTS, framework="pt") as file:
            state = {
                name: file.get_tensor(name)
                for name in file.keys()  # noqa: SIM118 (not a mapping)
            }
            stamp = json.loads(file.metadata()["conventions"])
    except (OSError, SafetensorError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"The weights {folder / WEIGHTS} cannot be read ({error}). Train anew."
        ) from error
    try:
        with torch.random.fork_rng(
            devices=[]
        ):  # weights that are replaced cost the caller no random numbers
            model = (build or builder(metadata))(**metadata["model"])
        model = model.to(getattr(torch, metadata["dtype"])).eval()
        model.load_state_dict(state)
    except (TypeError, RuntimeError) as error:
        raise CheckpointError(
            f"The weights {folder / WEIGHTS} do not fit the network of this version ({error}). "
            f"Use the versions they were made with ({metadata['versions']}) or train anew."
        ) from error
    _check_conventions(folder, model, stamp, metadata)
    return model, metadata


def write(path: Path, content: bytes) -> None:
    """Write a file as a whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(name, 0o644)  # mkstemp makes files that only their owner reads
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _read_metadata(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise CheckpointError(f"There is no run folder {folder}.")
    missing = [name for name in (CONFIG, WEIGHTS, METADATA) if not (folder / name).is_file()]
    if missing:
        raise CheckpointError(
            f"{folder} is no finished run: it has no {' and no '.join(missing)}. "
            "Give the folder that `steerable train` wrote, or train anew if it stopped before its "
            "first epoch ended."
        )
    try:
        metadata: dict[str, Any] = json.loads((folder / METADATA).read_text(encoding="utf-8"))
        found = metadata["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{folder / METADATA} cannot be read: {error!r}. Train anew."
        ) from error
    if found != FORMAT:
        raise CheckpointError(
            f"{folder} has format {found}; this version reads format {FORMAT}. Use the other "
            "version."
        )
    return metadata


def _check_conventions(
    folder: Path, model: nn.Module, stamp: dict[str, Any], metadata: dict[str, Any]
) -> None:
    made_by = metadata["versions"]
    for name, wanted in LABELS.items():
        if stamp[name] != wanted:
            raise CheckpointError(
                f"{folder} is a checkpoint of other conventions: {name} are {stamp[name]!r} and "
                f"this version has {wanted!r}. Use the versions it was made with ({made_by}) or "
                "train anew."
            )
    inputs = [
        torch.from_numpy(np.array(x)) for x in stamp["inputs"]
    ]  # int64 and float64, as numpy reads numbers
    came, gave = (
        predict_exactly(model, inputs),
        torch.tensor(stamp["prediction"], dtype=torch.float64),
    )
    if came.shape != gave.shape or not bool(
        ((came - gave).abs() <= TOLERANCE * gave.abs().clamp(min=1)).all()
    ):
        raise CheckpointError(
            f"{folder} is a checkpoint of other conventions: for the input kept with it, its "
            f"network gave {_words(gave)} and gives {_words(came)} with the bases of this version. "
            f"Use the versions it was made with ({made_by}) or train anew."
        )


@torch.no_grad()
def predict_exactly(model: nn.Module, inputs: Sequence[Tensor]) -> Tensor:
    """The prediction (number,) for one item in float64.

    The same on every machine to far more than `TOLERANCE`.
    """
    exact = copy.deepcopy(model).cpu().double().eval()
    prediction: Tensor = exact(*inputs)
    return prediction.flatten().double()


def _words(prediction: Tensor) -> str:
    return ", ".join(f"{value:.9g}" for value in prediction.tolist())
