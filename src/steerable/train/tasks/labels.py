"""What tasks with labels share: the loss, and how far predicted classes are from the true ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.nn import functional

from ..config import TrainingConfig, check_range


@dataclass
class LabelsFit(TrainingConfig):
    """How a network that tells classes is trained.

    Args:
        smoothing: share of the label that is spread over all classes in the loss, the cross
            entropy.
    """

    smoothing: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("fit", self, "smoothing", least=0, below=1)

    def cross_entropy(self, prediction: Tensor, y: Tensor) -> Tensor:
        """The loss of logits (item, class) for classes y (item,), in nat."""
        return functional.cross_entropy(prediction, y, label_smoothing=self.smoothing)


def label_errors(prediction: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """100 where the class of logits is not y (item,), and the cross entropy in nat.

    The logits are (item, class).
    """
    return 100.0 * (prediction.argmax(-1) != y), functional.cross_entropy(
        prediction, y, reduction="none"
    )


def percent(chosen: Tensor) -> dict[str, Any]:
    """The share of true entries, as a number with its unit."""
    return {"value": 100 * float(chosen.double().mean()), "unit": "%"}
