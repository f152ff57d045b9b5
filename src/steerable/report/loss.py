"""The errors of training and validation over the epochs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from steerable.deploy import convert

from .style import INK, QUIET, TRAIN, VALIDATION, dress, log_axis, read_table, save, significant


def loss_curves(
    log: Path,
    path: Path,
    name: str = "",
    baseline: tuple[float, str] | None = None,
    units: str | None = None,
) -> Path:
    """Draw the errors of training and validation over the epochs.

    Args:
        log: the `log.csv` of a run: epoch, time, an error of training, the same of validation,
            others, learning rate.
        path: the PNG to write.
        name: of what is learned.
        baseline: an error to beat, in the log's unit, and its name.
        units: the unit of the errors, where it is of their kind; that of the log by default.

    Returns:
        `path`.
    """
    header, rows = read_table(log)
    # The heading is such as "validation MAE [eV]".
    word, _, unit = header[3].removeprefix("validation ").rstrip("]").partition(" [")
    factor, unit = convert(unit, units)
    columns = np.array([row[:4] for row in rows], dtype=float).T
    epoch, seconds, train, validation = columns * [[1], [1], [factor], [factor]]
    best = int(np.nanargmin(validation))
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
        level = factor * baseline[0]
        axes.axhline(level, color=QUIET, linewidth=1.2, linestyle=(0, (5, 3)), label=baseline[1])
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlim(0, 1.02 * max(epoch[-1], 1))
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    log_axis(axes.yaxis, low, high)
    axes.set_ylim(low, high)
    title = (
        f"{name + ': ' if name else ''}validation {word} {significant(validation[best])} {unit} "
        f"after {seconds[-1]:.0f} s"
    )
    dress(axes, title, "epoch", f"{word} [{unit}]")
    axes.grid(which="minor", axis="y", color=QUIET, alpha=0.08)
    axes.legend(frameon=False, labelcolor=INK, fontsize=9)
    return save(figure, path)
