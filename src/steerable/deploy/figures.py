"""Which figures a run has: what its task says in `metrics.json`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from .run_folder import PREDICTIONS

Kind = Literal["parity", "confusion"]
PARITY: Kind = "parity"
CONFUSION: Kind = "confusion"


@dataclass(frozen=True)
class FigureRecord:
    """One figure of the predictions of a test.

    Args:
        kind: `parity`, numbers against the truth, or `confusion`, classes against the true ones.
            The columns of the table that begin with `true` and `predicted` are the truth and the
            prediction; those of numbers have the unit in brackets.
        name: of what is predicted, where a run predicts several things; its table and its picture
            have it in their names.
        classes: all names of classes, in order.
    """

    kind: Kind
    name: str = ""
    classes: tuple[str, ...] = ()

    @property
    def table(self) -> str:
        """The file of the predictions."""
        return predictions_file(self.name)

    @property
    def structures(self) -> str:
        """The file of the structures that have the largest errors."""
        return f"worst-{self.name}.xyz" if self.name else "worst.xyz"

    @property
    def picture(self) -> str:
        """The file of the picture."""
        return f"{self.kind}-{self.name}.png" if self.name else f"{self.kind}.png"

    @property
    def profile(self) -> str:
        """The file of the picture of errors by element and size."""
        return f"errors-{self.name}.png" if self.name else "errors.png"


def predictions_file(name: str = "") -> str:
    """The file of the predictions of one output of a test."""
    stem, _, suffix = PREDICTIONS.rpartition(".")
    return f"{stem}-{name}.{suffix}" if name else PREDICTIONS


def figures_of(metrics: dict[str, Any]) -> tuple[FigureRecord, ...]:
    """The figures of a run from the content of its `metrics.json`.

    Runs of earlier versions name none: they have one, which their test tells.
    """
    if "figures" not in metrics:
        classes = tuple(metrics["test"].get("per_class", ()))
        return (FigureRecord(CONFUSION, classes=classes) if classes else FigureRecord(PARITY),)
    return tuple(
        FigureRecord(figure["kind"], figure["name"], tuple(figure["classes"]))
        for figure in metrics["figures"]
    )
