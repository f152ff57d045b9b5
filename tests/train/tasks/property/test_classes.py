import numpy as np
import pytest
import torch
from torch.nn import functional

from steerable.data.structures import Target
from steerable.train.tasks.property.classes import (
    balanced_weights,
    class_error,
    class_loss,
    labels_error,
)

KIND = Target("kind", "class", classes=("a", "b", "c"))


def test_balanced_weights_count_every_class_the_same():
    values = np.array([0.0] * 6 + [1.0] * 3 + [2.0] + [np.nan])
    weights = balanced_weights(KIND, values)
    counts = torch.tensor([6.0, 3.0, 1.0])
    assert torch.allclose(weights * counts, (weights * counts)[:1].expand(3))
    assert (weights * counts).sum() == pytest.approx(10)


def test_the_loss_of_classes_is_the_cross_entropy():
    logits = torch.randn(7, 3, dtype=torch.float64)
    label = torch.tensor([0.0, 1, 2, 2, 1, 0, 1])
    assert torch.equal(
        class_loss(KIND)(logits, label), functional.cross_entropy(logits, label.long())
    )


def test_positives_of_a_rare_label_weigh_more():
    target = Target("toxic", "labels", classes=("x", "y"))
    values = np.array([[1.0, 0.0]] + [[0.0, 1.0]] * 3)
    weights = balanced_weights(target, values)
    assert weights.tolist() == [3.0, 1 / 3]
    logits, label = torch.randn(4, 2), torch.from_numpy(values)
    expected = functional.binary_cross_entropy_with_logits(
        logits, label.float(), pos_weight=weights.float()
    )
    assert torch.equal(class_loss(target, weights)(logits, label), expected)


def test_errors_are_percent():
    logits = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    assert class_error(logits, torch.tensor([0.0, 2.0])).tolist() == [0, 100]
    assert labels_error(torch.tensor([[1.0, -1.0]]), torch.tensor([[1.0, 1.0]])).tolist() == [
        [0, 100]
    ]
