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

from steerable.models import builder, named_outputs

from .device import find_device

WEIGHTS, METADATA, CONFIG = "model.safetensors", "metadata.json", "config.yaml"
STATE, LOG, METRICS, PREDICTIONS = "last.ckpt", "log.csv", "metrics.json", "predictions.csv"
DATA, SPLIT = "data.json", "split.csv"
FORMAT = 2
LABELS = {"components": "e3nn: l = 1 is x, y, z", "normalization": "component", "layout": "mul_ir"}
TOLERANCE = 1e-6  # of the prediction in float64 that is kept with the weights


class CheckpointError(ValueError):
    """A folder that holds no usable network."""


def load(
    folder: Path | str,
    build: Callable[..., nn.Module] | None = None,
    device: str | torch.device = "cpu",
    dtype: torch.dtype | None = None,
) -> tuple[nn.Module, dict[str, Any]]:
    """The network of a folder, in eval mode, and its metadata.

    Args:
        folder: as written by `save`.
        build: makes the network from the keyword arguments in the metadata; that of its task by
            default.
        device: where the network will run, such as `cpu` or `cuda:1`; `auto` is where it was
            trained, or the CPU if that device is not here.
        dtype: precision of the network; that of its training by default.

    Raises:
        CheckpointError: the folder is missing, half-written or damaged, or its network has other
            conventions.
        DeviceError: PyTorch finds no such device.
    """
    folder = Path(folder)
    metadata = _read_metadata(folder)
    place = find_device(device, metadata)
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
    return model.to(device=place, dtype=dtype), metadata


def member_folders(run: Path | str) -> list[Path]:
    """The runs of a committee in their order; the folder itself where it is one run."""
    members = [path for path in Path(run).glob("member-*") if path.name[7:].isdigit()]
    return sorted(members, key=lambda path: int(path.name[7:])) or [Path(run)]


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
        number = metadata["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{folder / METADATA} cannot be read: {error!r}. Train anew."
        ) from error
    if number != FORMAT:
        raise CheckpointError(
            f"{folder} has format {number}; this version reads format {FORMAT}. Use the other "
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
    # int64, float64 and bool, as numpy reads numbers and truth values.
    inputs = [None if x is None else torch.from_numpy(np.array(x)) for x in stamp["inputs"]]
    _check_prediction(folder, predict_exactly(model, inputs), stamp["prediction"], made_by)


def _check_prediction(
    folder: Path, came: dict[str, list[float]], stamp: Any, made_by: dict[str, str]
) -> None:
    """Compare the output for the stamp's input with the stamp: numbers, or numbers by name."""
    wanted = stamp if isinstance(stamp, dict) else {"prediction": stamp}
    for name in wanted | came:
        gave, gives = wanted.get(name, []), came.get(name, [])
        exact = len(gave) == len(gives) and all(
            abs(new - old) <= TOLERANCE * max(abs(old), 1)
            for new, old in zip(gives, gave, strict=True)
        )
        if not exact:
            raise CheckpointError(
                f"{folder} is a checkpoint of other conventions: for the input kept with it, its "
                f"network gave {_words(gave)} and gives {_words(gives)} with the bases of this "
                f"version. Use the versions it was made with ({made_by}) or train anew."
            )


@torch.no_grad()
def predict_exactly(model: nn.Module, inputs: Sequence[Tensor | None]) -> dict[str, list[float]]:
    """The numbers that a network gives for one item in float64, by name.

    They are the same on every machine to far more than `TOLERANCE`, so the CPU computes them.
    """
    exact = copy.deepcopy(model).cpu().double().eval()
    outputs = named_outputs(exact(*inputs))
    return {name: value.flatten().double().tolist() for name, value in outputs.items()}


def _words(prediction: Sequence[float]) -> str:
    return ", ".join(f"{value:.9g}" for value in prediction) or "nothing"
