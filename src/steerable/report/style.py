"""How all figures look, and the numbers in them."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import (
    FixedFormatter,
    FixedLocator,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    ScalarFormatter,
)

from steerable.deploy import write

INK, QUIET, TRAIN, VALIDATION = "#22303c", "#7a8793", "#8fb3c9", "#c8553d"

# Multiples of powers of ten that a logarithmic axis names, from few to many.
_STEPS = ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0))
_TICKS = 4  # at least so many numbers stand on a logarithmic axis


def significant(value: float) -> str:
    """A number with three significant digits, zeros at the end included."""
    if abs(value) >= 1000 and math.isfinite(value):
        return f"{value:,.0f}"
    return f"{value:#.3g}".rstrip(".")


def signed(value: float) -> str:
    """A number with three significant digits and its sign."""
    return f"{'+' if value > 0 else ''}{significant(value)}"


def item_label(name: str, formula: str = "") -> str:
    """How an item is called: by its name, and its formula where that says more."""
    return name if formula in ("", name) else f"{name} {formula}"


def log_axis(axis: Axis, low: float, high: float) -> None:
    """Give a logarithmic axis numbers to read, however short the span from `low` to `high` is."""
    for steps in _STEPS:
        ticks = [tick for tick in LogLocator(subs=steps).tick_values(low, high) if tick > 0]
        if sum(low <= tick <= high for tick in ticks) >= _TICKS:
            break
    else:  # within a fraction of a decade the numbers of a linear axis are the round ones
        ticks = [tick for tick in MaxNLocator(6).tick_values(low, high) if tick > 0]
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FixedFormatter(tick_labels(ticks)))
    axis.set_minor_locator(LogLocator(subs=range(1, 10)))
    axis.set_minor_formatter(NullFormatter())


def tick_labels(ticks: Sequence[float]) -> list[str]:
    """Numbers as text: with equal decimals where they are evenly spaced."""
    texts = [f"{tick:.6g}" for tick in ticks]
    steps = [after - before for before, after in pairwise(ticks)]
    if steps and max(steps) - min(steps) < 1e-6 * max(steps) and "e" not in "".join(texts):
        decimals = max(len(text.partition(".")[2]) for text in texts)
        return [f"{tick:.{decimals}f}" for tick in ticks]
    return texts


def plain_numbers(axes: Axes) -> None:
    """Write the numbers of linear axes in full, without an offset beside them."""
    for axis in (axes.xaxis, axes.yaxis):
        formatter = ScalarFormatter(useOffset=False)
        formatter.set_powerlimits((-4, 6))
        axis.set_major_formatter(formatter)


def dress(axes: Axes, title: str, x: str, y: str) -> None:
    """Give axes a title, labels, a grid and no box."""
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK)
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
    axes.tick_params(colors=INK, labelsize=9)
    axes.grid(color=QUIET, alpha=0.18)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def with_unit(word: str, unit: str) -> str:
    """The label of an axis."""
    return f"{word} [{unit}]" if unit else word


def read_table(path: Path) -> tuple[list[str], list[list[str]]]:
    """The header and the rows of a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    return header, rows


def save(figure: Figure, path: Path) -> Path:
    """Write a figure as PNG, whole or not at all."""
    image = io.BytesIO()
    figure.savefig(image, format="png")
    write(path, image.getvalue())
    return path
