"""What a trained network reaches.

Test errors beside baselines, and a certificate of its symmetry.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from steerable.certify import Certificate, Role, certify
from steerable.deploy import (
    AUTO,
    CONFIG,
    CONFUSION,
    LOG,
    METRICS,
    PARITY,
    FigureRecord,
    load,
    placement,
    write,
)
from steerable.models import Claim, named_outputs

from .checkpoint import versions
from .config import ConfigError
from .data_record import Part
from .measures import Measure
from .options import load_config
from .predictions import identified, to_csv, worst_frames, worst_items
from .run_data import run_data
from .task import Outcome
from .tasks.registry import task_of


class Certificates(NamedTuple):
    """The certificates of one output in both precisions."""

    float64: Certificate
    float32: Certificate


def evaluate(
    run: Path | str,
    dataset: Any = None,
    build: Callable[..., nn.Module] | None = None,
    device: str | torch.device = AUTO,
) -> dict[str, Any]:
    """Test the network of a run on the items that it never saw.

    Write `metrics.json`, `predictions.csv`, and `worst.xyz`, the structures of the largest errors,
    where the items have atoms.

    Args:
        run: a run folder.
        dataset: what it was trained on; the usual data set of its task by default.
        build: as in `load`.
        device: where the network runs, as in `load`; where it was trained by default.

    Returns:
        The content of `metrics.json`.

    Raises:
        ValueError: the folder holds no usable network, or the device is not there.
        OtherDataError: the run was trained on other data; all files stay as they are.
    """
    run = Path(run)
    model, metadata = load(run, build, device)
    task = task_of(metadata)
    config = load_config(run / CONFIG, task.config)
    content, part = run_data(run, task, config, dataset, f"evaluate({str(run)!r}, dataset=...)")
    items = task.held_out(config, content)
    outcome = task.test(model, items, metadata)
    figures, worst = _write_tables(run, outcome, part)
    content = _frame(run, metadata, "finished") | {
        "test": outcome.test,
        "baselines": outcome.baselines,
        "certificate": _summary(certificates(task.claim(model, items, metadata))),
        "worst": worst,
        "figures": [asdict(figure) | {"classes": list(figure.classes)} for figure in figures],
    }
    _write_metrics(run, content)
    return content


def evaluate_file(
    run: Path | str, file: Path | str, device: str | torch.device = AUTO
) -> dict[str, Any]:
    """Test the network of a run on the items of a file with labels; nothing is written.

    Args:
        run: a run folder.
        file: items as the task reads them, such as structures.
        device: where the network runs, as in `load`.

    Returns:
        `task` and `test` as in `metrics.json`, and no `baselines`.

    Raises:
        ConfigError: the task has no items in files.
        ValueError: the file cannot be read, or has no such labels.
    """
    model, metadata = load(Path(run), None, device)
    task = task_of(metadata)
    if task.test_file is None:
        raise ConfigError(
            f"{run} learned {metadata['task']}, whose items are not read from files: leave --data "
            "out to test it on its own test items."
        )
    outcome = task.test_file(model, Path(file), metadata)
    return {"task": metadata["task"], "test": outcome.test, "baselines": {}}


def record_interrupted(run: Path, metadata: dict[str, Any]) -> None:
    """Write the metrics of a run that was stopped: those of its validation, none of its test."""
    _write_metrics(run, _frame(run, metadata, "interrupted"))


def certify_run(
    run: Path | str,
    dataset: Any = None,
    build: Callable[..., nn.Module] | None = None,
    device: str | torch.device = AUTO,
) -> dict[str, Certificates]:
    """The certificates of the network of a run, on some items of its test.

    The arguments and the errors are those of `evaluate`.
    """
    run = Path(run)
    model, metadata = load(run, build, device)
    task = task_of(metadata)
    config = load_config(run / CONFIG, task.config)
    call = f"certify_run({str(run)!r}, dataset=...)"
    content, _ = run_data(run, task, config, dataset, call)
    return certificates(task.claim(model, task.held_out(config, content), metadata))


def certificates(claim: Claim) -> dict[str, Certificates]:
    """The certificates of a claim, by name of output.

    They are computed where the network is. A result that is one tensor is called `prediction`.
    """
    roles = {"prediction": claim.output} if isinstance(claim.output, Role) else claim.output
    function = claim.function
    inputs = list(claim.inputs)
    if isinstance(function, nn.Module):
        device, _ = placement(function)
        function = function.to(device)  # parts that the claim added too
        inputs = [(tensor.to(device), role) for tensor, role in inputs]
    results = {}
    for name, role in roles.items():
        selected = _Selected(function, name)
        results[name] = Certificates(
            certify(selected, inputs, role, claim.group, dtype=torch.float64),
            certify(selected, inputs, role, claim.group, dtype=torch.float32),
        )
    return results


class _Selected(nn.Module):
    """One output of a function; a module, so that `certify` can change its precision."""

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        super().__init__()
        self.function, self.name = function, name

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return named_outputs(self.function(*inputs))[self.name]


def _summary(results: dict[str, Certificates]) -> dict[str, Any]:
    """The largest errors over all outputs; and those of each, where there are several."""
    exact = [pair.float64 for pair in results.values()]
    usual = [pair.float32 for pair in results.values()]
    summary = {
        "group": exact[0].group,
        "elements": exact[0].elements,
        "passed": all(certificate.passed for certificate in (*exact, *usual)),
        "equivariance_float64": _largest(exact),
        "equivariance_float32": _largest(usual),
    }
    if len(results) > 1:
        summary["outputs"] = {
            name: {
                "passed": pair.float64.passed and pair.float32.passed,
                "equivariance_float64": pair.float64.error,
                "equivariance_float32": pair.float32.error,
            }
            for name, pair in results.items()
        }
    return summary


def _largest(results: Sequence[Certificate]) -> float:
    """The largest error; NaN, which compares with nothing, is larger than any other."""
    return max(
        (certificate.error for certificate in results),
        key=lambda error: math.inf if math.isnan(error) else error,
    )


def _frame(run: Path, metadata: dict[str, Any], status: str) -> dict[str, Any]:
    """The metrics of every run in their order; what was not measured is None."""
    with (run / LOG).open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    log = [list(map(float, row)) for row in rows]
    measures = [Measure(*measure) for measure in metadata["measures"]]
    best = min(log, key=lambda row: row[3])
    validation: dict[str, Any] = {}
    for k, measure in enumerate(measures):
        value = best[3 + 2 * k]
        validation[measure.key] = {
            "value": None if math.isnan(value) else value,
            "unit": measure.unit,
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
        "worst": {},
        "figures": [],
    }


def _write_tables(
    run: Path, outcome: Outcome, part: Part | None
) -> tuple[list[FigureRecord], dict[str, list[dict[str, Any]]]]:
    """Write the predictions of each output and the structures of its worst items.

    Returns:
        The figures that show them; and by name of output the worst items.
    """
    figures, worst = [], {}
    for number, (name, table) in enumerate(outcome.tables.items()):
        kind = CONFUSION if table.classes else PARITY
        figure = FigureRecord(kind, name if number else "", table.classes)
        figures.append(figure)
        write(run / figure.table, to_csv(identified(table, part)).encode())
        if entries := worst_items(table, part):
            worst[name] = entries
            if part and part.structures is not None:
                write(run / figure.structures, worst_frames(entries, part.structures).encode())
    return figures, worst


def _write_metrics(run: Path, content: dict[str, Any]) -> None:
    write(run / METRICS, (json.dumps(content, indent=2) + "\n").encode())
