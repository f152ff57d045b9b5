"""Predictions against the truth, how their errors are spread, and which are the worst."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from .style import (
    INK,
    QUIET,
    TRAIN,
    VALIDATION,
    dress,
    plain_numbers,
    save,
    signed,
    significant,
    with_unit,
)

NAMED = 10  # of the largest errors
FAR = 20.0  # times the spread: a mean that is farther from zero is subtracted


def parity(
    true: ArrayLike,
    predicted: ArrayLike,
    unit: str,
    path: Path,
    name: str = "",
    composition: ArrayLike | None = None,
    labels: Sequence[str] = (),
    items: str = "items",
) -> Path:
    """Draw predictions against the truth, how their errors are spread, and the largest of them.

    Where the elements explain most of a property, both axes show what they leave. Where it lies far
    from zero they show how far it is from its mean. The axes say so.

    Args:
        true: the property (item,), in `unit`.
        predicted: the predictions (item,), in `unit`.
        unit: of both.
        path: the PNG to write.
        name: of the target.
        composition: what the elements alone predict (item,), in `unit`.
        labels: the name of each item (item,); without them the worst are not named.
        items: what they are, in words.

    Returns:
        `path`.
    """
    true, predicted = np.asarray(true, dtype=float), np.asarray(predicted, dtype=float)
    error = predicted - true
    worst = _worst(error, labels)
    widths = (1.15, 1, 0.62) if worst else (1.15, 1)
    figure = Figure(figsize=(12.4 if worst else 9.6, 4.6), dpi=160, layout="constrained")
    left, right, *rest = figure.subplots(1, len(widths), width_ratios=widths)
    offset, words = _offset(true, composition, unit)
    x, y = true - offset, predicted - offset
    _scatter(figure, left, x, y)
    left.text(0.05, 0.95, _summary(x, error, unit), transform=left.transAxes, va="top", color=INK)
    title = f"{name or 'test'}: {len(true):,} test {items}"
    dress(left, title, with_unit(f"true{words}", unit), with_unit(f"predicted{words}", unit))
    _error_histogram(right, error, unit)
    for axes in (left, right):
        plain_numbers(axes)
    if rest:
        _mark(left, x[worst], y[worst])
        _name(rest[0], [f"{labels[k]}  {signed(error[k])} {unit}" for k in worst])
    return save(figure, path)


def _offset(
    true: np.ndarray, composition: ArrayLike | None, unit: str
) -> tuple[np.ndarray | float, str]:
    """What is subtracted from the truth and the predictions, and how the axes say it."""
    if composition is not None:
        return np.asarray(composition, dtype=float), " less fit of composition"
    mean, spread = float(true.mean()), float(np.ptp(true))
    if len(true) > 1 and abs(mean) > FAR * spread > 0:
        return mean, f" less mean ({mean:.7g} {unit})"
    return 0.0, ""


def _scatter(figure: Figure, axes: Axes, x: np.ndarray, y: np.ndarray) -> None:
    """Points coloured by how many are near, and the line where both numbers are equal."""
    span = np.array([min(x.min(), y.min()), max(x.max(), y.max())])
    span += np.array([-0.03, 0.03]) * max(span[1] - span[0], 1e-9)
    axes.plot(span, span, color=QUIET, linewidth=1, zorder=1)
    density = _density(x, y)
    order = density.argsort()
    marks = axes.scatter(
        x[order], y[order], c=density[order], s=9, cmap="viridis", linewidths=0, zorder=2
    )
    if density.max() > 1:
        bar = figure.colorbar(marks, ax=axes, shrink=0.75, pad=0.01)
        bar.locator = MaxNLocator(5, integer=True)
        bar.update_ticks()
        bar.set_label("items nearby", color=INK)
        bar.ax.tick_params(colors=INK, labelsize=9)
    axes.set(xlim=span, ylim=span, aspect="equal")


def _summary(shown: np.ndarray, error: np.ndarray, unit: str) -> str:
    """The errors in words, and the share of the variance of what is shown that is predicted."""
    sizes = (
        ("MAE", np.abs(error).mean()),
        ("RMSE", np.sqrt((error**2).mean())),
        ("largest", np.abs(error).max()),
    )
    lines = [f"{word} {significant(value)} {unit}".rstrip() for word, value in sizes]
    variance = shown.var()
    if variance > 0:
        lines.append(f"R$^2$ {1 - (error**2).mean() / variance:.4f}")
    return "\n".join(lines)


def _worst(error: np.ndarray, labels: Sequence[str]) -> list[int]:
    """The rows of the largest errors, one of each item."""
    rows: dict[str, int] = {}
    for row in np.argsort(-np.abs(error), kind="stable").tolist() if labels else ():
        rows.setdefault(labels[row], row)
        if len(rows) == NAMED:
            break
    return list(rows.values())


def _mark(axes: Axes, x: np.ndarray, y: np.ndarray) -> None:
    """Rings around the worst points, with their ranks."""
    axes.scatter(x, y, s=42, facecolors="none", edgecolors=VALIDATION, linewidths=1, zorder=3)
    for rank, place in enumerate(zip(x, y, strict=True), start=1):
        axes.annotate(
            str(rank),
            place,
            xytext=(5, 3),
            textcoords="offset points",
            color=VALIDATION,
            fontsize=7,
            zorder=4,
        )


def _name(axes: Axes, lines: Sequence[str]) -> None:
    """The list of the worst items."""
    axes.set_axis_off()
    axes.set_title("largest errors", loc="left", fontsize=11, fontweight="bold", color=INK)
    for k, line in enumerate(lines):
        height = 0.97 - 0.07 * k
        axes.text(0, height, str(k + 1), color=VALIDATION, fontsize=8, va="top")
        axes.text(0.09, height, line, color=INK, fontsize=8, va="top")


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
    dress(
        axes,
        f"errors ({outside} beyond the edges)",
        with_unit("predicted - true", unit),
        "items",
    )


def _density(x: np.ndarray, y: np.ndarray, bins: int = 50) -> np.ndarray:
    """How many points share the square of each point, on a grid of `bins` by `bins`."""
    counts, edges_x, edges_y = np.histogram2d(x, y, bins=bins)
    return counts[_bins_of(x, edges_x), _bins_of(y, edges_y)]


def _bins_of(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The numbers of the bins that values lie in; the last bin has its upper edge as well."""
    return np.clip(np.searchsorted(edges, values, "right") - 1, 0, len(edges) - 2)
