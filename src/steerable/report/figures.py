"""All figures of a training run, drawn from its files alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from steerable.deploy import CONFUSION, LOG, METRICS, FigureRecord, convert, figures_of

from .confusion import confusion
from .errors import error_profile
from .loss import loss_curves
from .parity import parity
from .style import item_label, read_table
from .worst import draw_worst


def draw(run: Path | str, units: str | None = None) -> tuple[Path, ...]:
    """Draw the figures of a finished run from its files alone.

    These are `log.csv`, `metrics.json`, which names the figures, the tables of predictions, and the
    structures of the largest errors.

    Args:
        run: the run folder.
        units: the unit of what is predicted, such as `meV`; numbers of another kind keep theirs.

    Returns:
        The paths of `loss.png` and of the figures of each output: `parity.png`, or `confusion.png`
        where classes were learned, and for structures of atoms `errors.png` and `worst.png`; those
        of further outputs have their names, as `parity-NAME.png`.
    """
    run = Path(run)
    metrics = json.loads((run / METRICS).read_text(encoding="utf-8"))
    name, deciding = metrics["task"].partition("/")[2], next(iter(metrics["validation"]))
    baselines = [
        (baseline[deciding]["value"], baseline["name"])
        for baseline in metrics["baselines"].values()
        if deciding in baseline
    ]
    loss = loss_curves(run / LOG, run / "loss.png", name, min(baselines, default=None), units)
    paths = [loss]
    for figure in figures_of(metrics):
        paths += _draw(run, figure, figure.name or name, units, metrics["test"])
    return tuple(paths)


class _Numbers(NamedTuple):
    """A table of predicted numbers, in one unit; what it does not tell is None or empty."""

    true: np.ndarray
    predicted: np.ndarray
    composition: np.ndarray | None
    unit: str
    labels: list[str]
    formulas: list[str]


def _draw(
    run: Path, figure: FigureRecord, name: str, units: str | None, test: dict[str, Any]
) -> Iterator[Path]:
    """Draw the figures of one output."""
    header, rows = read_table(run / figure.table)
    if figure.kind == CONFUSION:
        first = _first(header)
        pairs = [row[first : first + 2] for row in rows]
        yield confusion(pairs, list(figure.classes), run / figure.picture, name)
        return
    table = _numbers(header, rows, units)
    yield parity(
        table.true,
        table.predicted,
        table.unit,
        run / figure.picture,
        name,
        table.composition,
        table.labels,
        next((word for word, count in test.items() if count == len(table.true)), "values"),
    )
    if table.formulas:
        error = table.predicted - table.true
        yield error_profile(table.formulas, error, table.unit, run / figure.profile, name)
    if (run / figure.structures).is_file():
        frames = run / figure.structures
        yield draw_worst(frames, frames.with_suffix(".png"), name, units)


def _numbers(header: list[str], rows: list[list[str]], units: str | None) -> _Numbers:
    """The columns of a table of predicted numbers."""
    first = _first(header)
    factor, unit = convert(header[first].partition("[")[2].rstrip("]"), units)

    def values(column: int) -> np.ndarray:
        return factor * np.array([row[column] for row in rows], dtype=float)

    composition = _column(header, "composition")
    formulas = _texts(header, rows, "formula")
    names = _texts(header, rows, "name") or [f"#{k}" for k in _texts(header, rows, "index")]
    if names and formulas:
        names = [item_label(name, text) for name, text in zip(names, formulas, strict=True)]
    return _Numbers(
        values(first),
        values(first + 1),
        None if composition is None else values(composition),
        unit,
        names,
        formulas,
    )


def _texts(header: list[str], rows: list[list[str]], key: str) -> list[str]:
    """A column of texts; empty where there is none."""
    column = _column(header, key)
    return [] if column is None else [row[column] for row in rows]


def _column(header: list[str], key: str) -> int | None:
    """The place of the column of a name, whatever its unit."""
    names = [text.partition(" [")[0] for text in header]
    return names.index(key) if key in names else None


def _first(header: list[str]) -> int:
    """The place of the truth, which the prediction follows."""
    return _column(header, "true") or 0
