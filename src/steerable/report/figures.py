"""Figures of a training run: its loss curves, and its predictions against the truth."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter
from numpy.typing import ArrayLike

from steerable.deploy import CONFUSION, LOG, METRICS, FigureRecord, figures_of

INK, QUIET, TRAIN, VALIDATION = "#22303c", "#7a8793", "#8fb3c9", "#c8553d"


def draw(run: Path | str) -> tuple[Path, ...]:
    """Draw the figures of a finished run from its files alone.

    These are `log.csv`, `metrics.json`, which names the figures, and the tables of predictions.

    Returns:
        The paths of `loss.png` and of a figure for each output: `parity.png`, or `confusion.png`
        where classes were learned, and `parity-NAME.png` of further outputs.
    """
    run = Path(run)
    metrics = json.loads((run / METRICS).read_text(encoding="utf-8"))
    name, deciding = metrics["task"].partition("/")[2], next(iter(metrics["validation"]))
    baselines = [
        (baseline[deciding]["value"], baseline["name"])
        for baseline in metrics["baselines"].values()
        if deciding in baseline
    ]
    loss = loss_curves(run / LOG, run / "loss.png", name, min(baselines, default=None))
    return loss, *(_draw(run, figure, name) for figure in figures_of(metrics))


def _draw(run: Path, figure: FigureRecord, task: str) -> Path:
    """Draw one figure of predictions."""
    header, rows = _table(run / figure.table)
    path, name = run / figure.picture, figure.name or task
    if figure.kind == CONFUSION:
        return confusion([row[:2] for row in rows], list(figure.classes), path, name)
    values = np.array(rows, dtype=float)
    unit = header[0].partition("[")[2].rstrip("]")
    return parity(values[:, 0], values[:, 1], unit, path, name)


def loss_curves(
    log: Path, path: Path, name: str = "", baseline: tuple[float, str] | None = None
) -> Path:
    """Draw the errors of training and validation over the epochs.

    Args:
        log: the `log.csv` of a run: epoch, time, an error of training, the same of validation,
            others, learning rate.
        path: the PNG to write.
        name: of what is learned.
        baseline: an error to beat, in the log's unit, and its name.

    Returns:
        `path`.
    """
    header, rows = _table(log)
    epoch, seconds, train, validation = np.array(rows, dtype=float).T[:4]
    measure = header[3].removeprefix("validation ")  # such as MAE [eV]
    word, _, unit = measure.rstrip("]").partition(" [")
    best = int(validation.argmin())
    figure = Figure(figsize=(7.2, 4.4), dpi=160, layout="constrained")
    axes = figure.add_subplot()
    axes.plot(epoch, train, color=TRAIN, linewidth=1.6, label="training (current weights)")
    axes.plot(
        epoch, validation, color=VALIDATION, linewidth=2.2, label="validation (averaged weights)"
    )
    axes.plot(
        epoch[best], validation[best], "o", color=VALIDATION, markersize=7, markeredgecolor="white"
    )
    if baseline is not None:
        axes.axhline(
            baseline[0], color=QUIET, linewidth=1.2, linestyle=(0, (5, 3)), label=baseline[1]
        )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(0, 1.02 * max(epoch[-1], 1))
    title = (
        f"{name + ': ' if name else ''}validation {word} {validation[best]:.3g} {unit} after "
        f"{seconds[-1]:.0f} s"
    )
    _dress(axes, title, "epoch", measure)
    axes.grid(which="minor", axis="y", color=QUIET, alpha=0.08)
    axes.legend(frameon=False, labelcolor=INK, fontsize=9)
    return _save(figure, path)


def parity(true: ArrayLike, predicted: ArrayLike, unit: str, path: Path, name: str = "") -> Path:
    """Draw predictions against the truth, and how their errors are spread.

    Args:
        true: the property (molecule,), in `unit`.
        predicted: the predictions (molecule,), in `unit`.
        unit: of both.
        path: the PNG to write.
        name: of the target.

    Returns:
        `path`.
    """
    true, predicted = np.asarray(true, dtype=float), np.asarray(predicted, dtype=float)
    error = predicted - true
    figure = Figure(figsize=(9.6, 4.6), dpi=160, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
    span = np.array([min(true.min(), predicted.min()), max(true.max(), predicted.max())])
    span += np.array([-0.03, 0.03]) * max(span[1] - span[0], 1e-9)
    left.plot(span, span, color=QUIET, linewidth=1, zorder=1)
    density = _density(true, predicted)
    order = density.argsort()
    marks = left.scatter(
        true[order], predicted[order], c=density[order], s=9, cmap="viridis", linewidths=0, zorder=2
    )
    bar = figure.colorbar(marks, ax=left, shrink=0.75, pad=0.01)
    bar.set_label("molecules nearby", color=INK)
    bar.ax.tick_params(colors=INK, labelsize=9)
    left.set(xlim=span, ylim=span, aspect="equal")
    words = (
        ("MAE", np.abs(error).mean()),
        ("RMSE", np.sqrt((error**2).mean())),
        ("largest", np.abs(error).max()),
    )
    text = "\n".join(f"{word} {value:.3g} {unit}" for word, value in words)
    left.text(0.05, 0.95, text, transform=left.transAxes, va="top", color=INK)
    _dress(
        left,
        f"{name or 'test'}: {len(true):,} test molecules",
        f"true [{unit}]",
        f"predicted [{unit}]",
    )
    _error_histogram(right, error, unit)
    return _save(figure, path)


def confusion(
    pairs: Sequence[Sequence[str]], classes: Sequence[str], path: Path, name: str = ""
) -> Path:
    """Draw which classes are taken for which, in percent of the true class.

    Args:
        pairs: the true and the predicted class of each item, by name.
        classes: all names.
        path: the PNG to write.
        name: of what is learned.

    Returns:
        `path`.
    """
    counts = np.zeros((len(classes), len(classes)))
    for true, predicted in pairs:
        counts[classes.index(true), classes.index(predicted)] += 1
    share = 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)
    side = 3.2 + 0.42 * len(classes)
    figure = Figure(figsize=(side, side), dpi=160, layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=100)
    for row, column in zip(*np.nonzero(counts), strict=True):
        ink = "white" if share[row, column] > 55 else INK
        axes.text(
            column,
            row,
            f"{share[row, column]:.0f}",
            ha="center",
            va="center",
            color=ink,
            fontsize=8,
        )
    axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right")
    axes.set_yticks(range(len(classes)), classes)
    right = f"{100 * counts.trace() / max(counts.sum(), 1):.1f} % of {len(pairs):,} right"
    _dress(axes, f"{name + ': ' if name else ''}{right}", "predicted", "true")
    axes.grid(False)
    return _save(figure, path)


def _error_histogram(axes: Axes, error: np.ndarray, unit: str) -> None:
    """Errors up to the 99th percentile of their size, and how many lie outside."""
    mae, edge = np.abs(error).mean(), max(float(np.quantile(np.abs(error), 0.99)), 1e-12)
    axes.axvspan(-mae, mae, color=VALIDATION, alpha=0.15, linewidth=0, label="within the MAE")
    axes.hist(error, bins=np.linspace(-edge, edge, 61).tolist(), color=TRAIN)
    axes.axvline(0, color=INK, linewidth=1)
    axes.set_xlim(-edge, edge)
    axes.set_ylim(0, 1.15 * axes.get_ylim()[1])
    axes.legend(frameon=False, labelcolor=INK, fontsize=9, loc="upper right")
    outside = int((np.abs(error) > edge).sum())
    _dress(axes, f"errors ({outside} beyond the edges)", f"predicted - true [{unit}]", "molecules")


def _density(x: np.ndarray, y: np.ndarray, bins: int = 50) -> np.ndarray:
    """How many points share the square of each point, on a grid of `bins` by `bins`."""
    counts, edges_x, edges_y = np.histogram2d(x, y, bins=bins)
    return counts[_bins_of(x, edges_x), _bins_of(y, edges_y)]


def _bins_of(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The numbers of the bins that values lie in; the last bin has its upper edge as well."""
    return np.clip(np.searchsorted(edges, values, "right") - 1, 0, len(edges) - 2)


def _dress(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK)
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
    axes.tick_params(colors=INK, labelsize=9)
    axes.grid(color=QUIET, alpha=0.18)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _table(path: Path) -> tuple[list[str], list[list[str]]]:
    """The header and the rows of a CSV file."""
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    return header, rows


def _save(figure: Figure, path: Path) -> Path:
    image = io.BytesIO()
    figure.savefig(image, format="png")
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "wb") as file:
        file.write(image.getvalue())
    os.chmod(name, 0o644)
    os.replace(name, path)
    return path
