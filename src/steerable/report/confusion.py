"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from .style import INK, dress, save


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
    dress(axes, f"{name + ': ' if name else ''}{right}", "predicted", "true")
    axes.grid(False)
    return save(figure, path)
