"""Errors of predictions: those of each epoch, and those of a test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor


def absolute_error(prediction: Tensor, label: Tensor) -> Tensor:
    """The size of each component of the error."""
    return (prediction - label).abs()


@dataclass(frozen=True)
class Measure:
    """A mean error, with its unit.

    Args:
        name: as in the log, such as MAE.
        unit: of the error.
        output: name of the prediction and of its label.
        error: the prediction and the label (known row, ...) to values whose mean is the error.
    """

    name: str
    unit: str
    output: str = "prediction"
    error: Callable[[Tensor, Tensor], Tensor] = absolute_error

    @property
    def key(self) -> str:
        """The name as one word of small letters."""
        return self.name.lower().replace(" ", "_")


def quantity(value: Tensor | float, unit: str) -> dict[str, Any]:
    """A number with its unit, as in `metrics.json`."""
    return {"value": float(value), "unit": unit}


def percent(chosen: Tensor) -> dict[str, Any]:
    """The share of true entries, as a number with its unit."""
    return {"value": 100 * float(chosen.double().mean()), "unit": "%"}


def errors(predicted: Tensor, true: Tensor, unit: str) -> dict[str, Any]:
    """Mean absolute and root mean square error, each with its unit."""
    error = predicted - true
    return {
        "mae": quantity(error.abs().mean(), unit),
        "rmse": quantity(error.square().mean().sqrt(), unit),
    }
