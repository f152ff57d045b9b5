"""How far predicted classes are from the true ones: what tasks with labels share."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.nn import functional


def label_errors(prediction: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """100 where the class of logits (item, class) is not y (item,), and the cross entropy in nat."""
    return 100.0 * (prediction.argmax(-1) != y), functional.cross_entropy(prediction, y, reduction="none")


def percent(chosen: Tensor) -> dict[str, Any]:
    """The share of true entries, as a number with its unit."""
    return {"value": 100 * float(chosen.double().mean()), "unit": "%"}
