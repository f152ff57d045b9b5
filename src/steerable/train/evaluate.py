"""What a trained network reaches.

Test errors beside baselines, and a certificate of its symmetry.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from steerable.certify import Certificate, certify

from ..deploy import CONFIG, load, write
from .checkpoint import versions
from .options import load_config
from .recorder import LOG
from .task import Measure, Symmetry
from .tasks.registry import task_of

METRICS, PREDICTIONS = "metrics.json", "predictions.csv"


def evaluate(
    run: Path | str, dataset: Any = None, build: Callable[..., nn.Module] | None = None
) -> dict[str, Any]:
    """Test the network of a run on the items that it never saw.

    Write `metrics.json` and `predictions.csv`.

    Args:
        run: a run folder.
        dataset: what it was trained on; the usual data set of its task by default.
        build: as in `load`.

    Returns:
        The content of `metrics.json`.

    Raises:
        ValueError: the folder holds no usable network.
    """
    run = Path(run)
    model, metadata = load(run, build)
    task = task_of(metadata)
    items = task.held_out(load_config(run / CONFIG, task.config), dataset)
    found = task.test(model, items, metadata)
    content = _frame(run, metadata, "finished") | {
        "test": found.test,
        "baselines": found.baselines,
        "certificate": _summary(certificates(task.symmetry(model, items, metadata))),
    }
    write(run / PREDICTIONS, _table(found.header, found.rows).encode())
    _write_metrics(run, content)
    return content


def record_interrupted(run: Path, metadata: dict[str, Any]) -> None:
    """Write the metrics of a run that was stopped: those of its validation, none of its test."""
    _write_metrics(run, _frame(run, metadata, "interrupted"))


def certificates(asked: Symmetry) -> tuple[Certificate, Certificate]:
    """Certificates in float64 and in float32."""
    exact, usual = (certify(*asked, dtype=dtype) for dtype in (torch.float64, torch.float32))
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
    measures = [Measure(*found) for found in metadata["measures"]]
    best = min(log, key=lambda row: row[3])
    validation = {
        measure.key: {"value": best[3 + 2 * k], "unit": measure.unit}
        for k, measure in enumerate(measures)
    }
    return {
        "format": 1,
        "task": metadata["task"],
        "status": status,
        "test": None,
        "baselines": None,
        "validation": validation | {"epoch": int(best[0])},
        "certificate": None,
        "parameters": metadata["parameters"],
        "epochs": len(log),
        "train_seconds": log[-1][1],
        "versions": versions(),
    }


def _write_metrics(run: Path, content: dict[str, Any]) -> None:
    write(run / METRICS, (json.dumps(content, indent=2) + "\n").encode())


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([f"{x:.9g}" if isinstance(x, float) else x for x in row] for row in rows)
    return text.getvalue()
