"""Losses and errors of targets that are classes or labels; a row without a label has NaN."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from steerable.data.structures import Target

from ...losses import Elementary


def class_loss(target: Target, weights: Tensor | None = None) -> Elementary:
    """The cross entropy of logits, in nat.

    Args:
        target: classes or labels.
        weights: of each class in the loss; for labels, of the positives of each.
    """

    def of_classes(prediction: Tensor, label: Tensor) -> Tensor:
        weight = None if weights is None else weights.to(prediction)
        return functional.cross_entropy(prediction, label.long(), weight=weight)

    def of_labels(prediction: Tensor, label: Tensor) -> Tensor:
        weight = None if weights is None else weights.to(prediction)
        return functional.binary_cross_entropy_with_logits(
            prediction, label.to(prediction.dtype), pos_weight=weight
        )

    return of_classes if target.kind == "class" else of_labels


def balanced_weights(target: Target, values: np.ndarray) -> Tensor:
    """Weights that make every class count the same, however rare it is.

    Args:
        target: classes or labels.
        values: of the training set, as `target_values` returns them.

    Returns:
        The weight of each class (class,), 1 on the mean over the structures; or the number of
        negatives over that of positives of each label (label,).
    """
    valid = values[~np.isnan(values).reshape(len(values), -1).any(1)]
    if target.kind == "class":
        counts = np.bincount(valid.astype(np.int64), minlength=len(target.classes)).clip(min=1)
        return torch.from_numpy(len(valid) / (len(counts) * counts))
    positives = valid.sum(0).clip(min=1)
    return torch.from_numpy((len(valid) - positives).clip(min=1) / positives)


def class_error(prediction: Tensor, label: Tensor) -> Tensor:
    """100 where the class of logits (row, class) is not the label (row,)."""
    return 100.0 * (prediction.argmax(-1) != label)


def labels_error(prediction: Tensor, label: Tensor) -> Tensor:
    """100 where the sign of a logit (row, label) is not that of its label of 0 or 1."""
    return 100.0 * ((prediction > 0) != (label > 0.5))
