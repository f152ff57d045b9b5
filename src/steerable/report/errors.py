"""Errors by the elements and by the sizes of the structures that have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from ase.data import atomic_numbers
from ase.formula import Formula
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from .style import INK, QUIET, TRAIN, VALIDATION, dress, plain_numbers, save, with_unit

BINS = 12  # of sizes, at most


def error_profile(
    formulas: Sequence[str], error: ArrayLike, unit: str, path: Path, name: str = ""
) -> Path:
    """Draw the mean error of the structures with each element, and of those of each size.

    Args:
        formulas: the chemical formula of each row (row,).
        error: its error (row,), in `unit`.
        unit: of the errors.
        path: the PNG to write.
        name: of the target.

    Returns:
        `path`.
    """
    size = np.abs(np.asarray(error, dtype=float))
    counts = {text: Formula(text).count() for text in set(formulas)}
    elements = sorted(set().union(*counts.values()), key=lambda symbol: atomic_numbers[symbol])
    figure = Figure(figsize=(9.6, 4.2), dpi=160, layout=ConstrainedLayoutEngine(wspace=0.06))
    left, right = figure.subplots(1, 2)
    rows = [_contains(symbol, formulas, counts) for symbol in elements]
    means = [float(size[row].mean()) for row in rows]
    left.bar(range(len(elements)), means, color=TRAIN, width=0.7)
    _count(left, range(len(elements)), [int(row.sum()) for row in rows], means)
    left.set_xticks(range(len(elements)), elements)
    title = f"{name + ': ' if name else ''}by element"
    label = with_unit("mean absolute error", unit)
    dress(left, title, "structures that contain", label)
    atoms = np.array([sum(counts[text].values()) for text in formulas])
    _by_size(right, atoms, size)
    dress(right, "by size", "atoms", label)
    for axes in (left, right):
        axes.axhline(size.mean(), color=INK, linewidth=1, linestyle=(0, (5, 3)), label="all")
        axes.set_ylim(0, 1.12 * axes.get_ylim()[1])
    right.legend(frameon=False, labelcolor=INK, fontsize=9, loc="upper left")
    ticks, names = left.get_xticks(), [text.get_text() for text in left.get_xticklabels()]
    for axes in (left, right):
        plain_numbers(axes)
    left.set_xticks(ticks, names)
    return save(figure, path)


def _contains(
    symbol: str, formulas: Sequence[str], counts: Mapping[str, Mapping[str, int]]
) -> np.ndarray:
    """Whether each row (row,) is of a structure with an element."""
    return np.array([symbol in counts[text] for text in formulas])


def _by_size(axes: Axes, atoms: np.ndarray, size: np.ndarray) -> None:
    """The mean error of each number of atoms, or of ranges of it; bars span half the errors."""
    edges = np.unique(atoms)
    if len(edges) > BINS:
        edges = np.unique(np.quantile(atoms, np.linspace(0, 1, BINS + 1)[:-1]).astype(int))
    group = np.searchsorted(edges, atoms, "right") - 1
    places, means, spans = [], [], []
    for number in range(len(edges)):
        chosen = size[group == number]
        places.append(float(atoms[group == number].mean()))
        means.append(float(chosen.mean()))
        spans.append(np.quantile(chosen, [0.25, 0.75]))
    low, high = np.array(spans).T
    axes.vlines(places, low, high, color=TRAIN, linewidth=5, label="half of the structures")
    axes.plot(places, means, "o-", color=VALIDATION, markersize=5, label="mean")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    heights = np.maximum(means, high).tolist()
    _count(axes, places, np.bincount(group, minlength=len(edges)).tolist(), heights)


def _count(
    axes: Axes, places: Sequence[float], counts: Sequence[int], heights: Sequence[float]
) -> None:
    """Write how many structures a mean is of above it."""
    for place, count, height in zip(places, counts, heights, strict=True):
        axes.annotate(
            f"{count:,}",
            (place, height),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            color=QUIET,
            fontsize=7,
        )
