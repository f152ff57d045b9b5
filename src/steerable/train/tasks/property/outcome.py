"""Errors of the predictions of one target, whatever its kind."""

from __future__ import annotations

from typing import Any

import numpy as np

from steerable.data.structures import Structures, Target

from ...measures import quantity
from ...task import Table


def target_errors(target: Target, predicted: np.ndarray, true: np.ndarray) -> dict[str, Any]:
    """The errors of predictions, each with its unit, over the rows that have a true value.

    Numbers have a mean absolute error, a root mean square error and R2, the share of the variance
    that is explained. The errors of vectors and tensors are those of their components, and the
    relative error is the root mean square error over the spread of the components (of vectors, over
    their root mean square). Classes have the share of wrong ones, the balanced error, which counts
    all classes the same, the area under the ROC curve and the cross entropy.

    Args:
        target: the target.
        predicted: (row, ...); logits of classes and of labels.
        true: values as `target_values` returns them.
    """
    known = ~np.isnan(true).reshape(len(true), -1).any(1)
    predicted, true = predicted[known], true[known]
    if target.kind == "class":
        return _of_classes(predicted, true.astype(np.int64))
    if target.kind == "labels":
        return _of_labels(predicted, true)
    error, unit = predicted - true, target.unit or "1"
    rmse = float(np.sqrt(np.mean(error**2)))
    spread = float(
        np.sqrt(np.mean((true if target.kind == "vector" else true - true.mean(0)) ** 2))
    )
    result = {"mae": quantity(float(np.abs(error).mean()), unit), "rmse": quantity(rmse, unit)}
    if target.kind == "scalar":
        r2 = 1 - (rmse / spread) ** 2 if spread else float("nan")
        return result | {"r2": quantity(r2, "1")}
    sizes = np.linalg.norm(error.reshape(len(error), -1), axis=1)
    whole = np.sqrt(np.mean(np.sum((true**2).reshape(len(true), -1), axis=1)))
    return result | {
        "relative_error": quantity(100 * rmse / spread, "%"),
        "median_error": quantity(100 * float(np.median(sizes)) / float(whole), "%"),
    }


def _of_classes(logits: np.ndarray, true: np.ndarray) -> dict[str, Any]:
    wrong = logits.argmax(1) != true
    present = np.unique(true)
    balanced = np.mean([wrong[true == k].mean() for k in present])
    logarithm = logits - logits.max(1, keepdims=True)
    logarithm -= np.log(np.exp(logarithm).sum(1, keepdims=True))
    areas = [roc_area(logarithm[:, k], true == k) for k in present]
    return {
        "error": quantity(100 * float(wrong.mean()), "%"),
        "balanced_error": quantity(100 * float(balanced), "%"),
        "roc_auc": quantity(float(np.nanmean(areas)) if len(present) > 1 else float("nan"), "1"),
        "cross_entropy": quantity(float(-logarithm[np.arange(len(true)), true].mean()), "nat"),
    }


def _of_labels(logits: np.ndarray, true: np.ndarray) -> dict[str, Any]:
    wrong = (logits > 0) != (true > 0.5)
    areas = [roc_area(logits[:, k], true[:, k] > 0.5) for k in range(true.shape[1])]
    # log(1 + exp(-x)) without overflow, of x signed by the label.
    entropy = np.logaddexp(0, np.where(true > 0.5, -logits, logits))
    return {
        "error": quantity(100 * float(wrong.mean()), "%"),
        "roc_auc": quantity(float(np.nanmean(areas)), "1"),
        "cross_entropy": quantity(float(entropy.mean()), "nat"),
    }


def roc_area(score: np.ndarray, is_positive: np.ndarray) -> float:
    """The probability that a positive has a larger score than a negative; ties count half.

    NaN where one of them is missing.
    """
    positives, negatives = int(is_positive.sum()), int((~is_positive).sum())
    if not positives or not negatives:
        return float("nan")
    _, places, counts = np.unique(score, return_inverse=True, return_counts=True)
    rank = np.cumsum(counts) - (counts - 1) / 2  # the mean rank of equal scores
    total = rank[places][is_positive].sum()
    return float((total - positives * (positives + 1) / 2) / (positives * negatives))


def target_table(
    structures: Structures, target: Target, predicted: np.ndarray, true: np.ndarray
) -> Table:
    """The predictions beside the truth: a row for each number, or for each class.

    A row also has the atom and the component where it is one of several. Rows without a true value
    are left out.
    """
    known = np.flatnonzero(~np.isnan(true).reshape(len(true), -1).any(1))
    items, atoms = known, None
    if target.per == "atom":
        items = np.searchsorted(structures.ends, known, side="right") - 1
        atoms = known - structures.ends[items]
    if target.kind == "class":
        names = np.array(target.classes)
        columns = [names[true[known].astype(int)], names[predicted[known].argmax(1)]]
        header, repeats, classes = ["true", "predicted"], 1, target.classes
    else:
        unit = target.unit or "1"
        columns = [true[known].ravel(), predicted[known].ravel()]
        header, classes = [f"true [{unit}]", f"predicted [{unit}]"], ()
        repeats = int(np.prod(true.shape[1:]))
    if atoms is not None:
        header.append("atom")
        columns.append(np.repeat(atoms, repeats))
    if true.ndim > 1:
        header.append("component")
        components = [_component(target, index) for index in np.ndindex(*true.shape[1:])]
        columns.append(np.tile(components, len(known)))
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    return Table(tuple(header), rows, classes, np.repeat(items, repeats).tolist())


def _component(target: Target, index: tuple[int, ...]) -> str:
    """The name of a component: `x`, `xy`, or that of a label."""
    if target.kind == "labels":
        return target.classes[index[0]]
    return "".join("xyz"[k] for k in index)
