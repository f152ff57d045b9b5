"""What a trained network reaches: test errors beside baselines, and a certificate of its symmetry."""

from __future__ import annotations

import copy
import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from steerable.certify import POSITIONS, Certificate, Role, certify
from steerable.data import composition
from steerable.groups import named_group

from .checkpoint import CONFIG, load, versions, write
from .molecules import Molecules
from .options import load_config
from .problem import held_out, predict
from .recorder import LOG

METRICS, PREDICTIONS = "metrics.json", "predictions.csv"
CERTIFIED = 8  # molecules in the graph that is certified


def evaluate(run: Path | str, dataset: Any = None, build: Callable[..., nn.Module] | None = None) -> dict[str, Any]:
    """Test the network of a run on the molecules that it never saw; write `metrics.json` and `predictions.csv`.

    Args:
        run: a run folder.
        dataset: what it was trained on; QM9 by default.
        build: as in `load`.

    Returns:
        The content of `metrics.json`.

    Raises:
        ValueError: the folder holds no usable network.
    """
    run = Path(run)
    model, metadata = load(run, build)
    molecules = held_out(load_config(run / CONFIG), dataset)
    predicted = predict(model, molecules)
    unit, known = metadata["target"]["unit"], metadata["baselines"]
    counts = composition(molecules.numbers(), metadata["elements"])
    baselines = {
        "mean": torch.full_like(molecules.y, known["mean"]),
        "composition": torch.from_numpy(counts @ np.array(known["composition"])),
    }
    content = _frame(run, metadata, "finished") | {
        "test": {"molecules": len(molecules)} | errors(predicted, molecules.y, unit),
        "baselines": {name: errors(values, molecules.y, unit) for name, values in baselines.items()},
        "certificate": _summary(certificates(model, molecules, metadata)),
    }
    rows = [f"{true:.9g},{guess:.9g}" for true, guess in zip(molecules.y.tolist(), predicted.tolist(), strict=True)]
    write(run / PREDICTIONS, "\n".join([f"true [{unit}],predicted [{unit}]", *rows, ""]).encode())
    _write_metrics(run, content)
    return content


def record_interrupted(run: Path, metadata: dict[str, Any]) -> None:
    """Write the metrics of a run that was stopped: those of its validation, none of its test."""
    _write_metrics(run, _frame(run, metadata, "interrupted"))


def errors(predicted: Tensor, true: Tensor, unit: str) -> dict[str, Any]:
    """Mean absolute and root mean square error, each with its unit."""
    error = predicted - true
    found = {"mae": error.abs().mean(), "rmse": error.square().mean().sqrt()}
    return {name: {"value": float(value), "unit": unit} for name, value in found.items()}


def certificates(model: nn.Module, molecules: Molecules, metadata: dict[str, Any]) -> tuple[Certificate, Certificate]:
    """Certificates in float64 and in float32 of what the network learned, on a few molecules in one graph.

    References of atoms and the shift are left out: they are invariant, and so large that errors would look small.
    """
    learned = copy.deepcopy(model)
    learned.get_buffer("reference").zero_()
    learned.get_buffer("statistics")[0] = 0.0
    batch = molecules.batch(torch.arange(min(CERTIFIED, len(molecules))))
    inputs = [(batch.z, Role()), (batch.pos, POSITIONS), (batch.batch, Role())]
    group = named_group(metadata["model"].get("group", "O(3)"))
    exact, usual = (
        certify(learned, inputs, Role(rows="graph"), group, dtype=dtype) for dtype in (torch.float64, torch.float32)
    )
    return exact, usual


def _summary(found: tuple[Certificate, Certificate]) -> dict[str, Any]:
    exact, usual = found
    return {
        "group": exact.group,
        "elements": exact.elements,
        "passed": exact.passed and usual.passed,
        "equivariance_float64": exact.error,
        "equivariance_float32": usual.error,
    }


def _frame(run: Path, metadata: dict[str, Any], status: str) -> dict[str, Any]:
    """The metrics of every run in their order; what was not measured is None."""
    with (run / LOG).open(newline="") as file:
        log = [[float(value) for value in row] for row in list(csv.reader(file))[1:]]
    epoch, _, _, validation, _ = min(log, key=lambda row: row[3])
    return {
        "format": 1,
        "task": metadata["task"],
        "status": status,
        "test": None,
        "baselines": None,
        "validation": {"mae": {"value": validation, "unit": metadata["target"]["unit"]}, "epoch": int(epoch)},
        "certificate": None,
        "parameters": metadata["parameters"],
        "epochs": len(log),
        "train_seconds": log[-1][1],
        "versions": versions(),
    }


def _write_metrics(run: Path, content: dict[str, Any]) -> None:
    write(run / METRICS, (json.dumps(content, indent=2) + "\n").encode())
