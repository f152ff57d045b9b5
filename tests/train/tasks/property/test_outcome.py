import numpy as np
import pytest

from steerable.data.structures import Target
from steerable.train.tasks.property.outcome import roc_area, target_errors


def test_errors_of_numbers():
    target = Target("y", unit="eV")
    true, predicted = np.array([1.0, 2.0, 4.0, np.nan]), np.array([1.5, 2.0, 3.0, 9.0])
    errors = target_errors(target, predicted, true)
    assert errors["mae"] == {"value": pytest.approx(0.5), "unit": "eV"}
    assert errors["rmse"]["value"] == pytest.approx(np.sqrt(1.25 / 3))
    residual, spread = 1.25, np.sum((true[:3] - true[:3].mean()) ** 2)
    assert errors["r2"]["value"] == pytest.approx(1 - residual / spread)


def test_errors_of_vectors_are_relative_to_their_root_mean_square():
    random = np.random.default_rng(0)
    true = random.normal(size=(50, 3))
    error = 0.1 * random.normal(size=(50, 3))
    errors = target_errors(Target("mu", "vector", unit="D"), true + error, true)
    rms = np.sqrt(np.mean(true**2))
    assert errors["relative_error"]["value"] == pytest.approx(
        100 * np.sqrt(np.mean(error**2)) / rms
    )
    whole = np.sqrt(np.mean(np.sum(true**2, 1)))
    median = np.median(np.linalg.norm(error, axis=1))
    assert errors["median_error"]["value"] == pytest.approx(100 * median / whole)


def test_errors_of_tensors_are_relative_to_the_spread_of_components():
    random = np.random.default_rng(0)
    true = random.normal(size=(50, 3, 3)) + 80 * np.eye(3)
    error = 0.1 * random.normal(size=(50, 3, 3))
    errors = target_errors(Target("alpha", "tensor"), true + error, true)
    spread = np.sqrt(np.mean((true - true.mean(0)) ** 2))
    assert errors["relative_error"]["value"] == pytest.approx(
        100 * np.sqrt(np.mean(error**2)) / spread
    )


def test_errors_of_classes():
    target = Target("kind", "class", classes=("a", "b"))
    logits = np.log(np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.7, 0.3]]))
    true = np.array([0.0, 0.0, 0.0, 1.0])
    errors = target_errors(target, logits, true)
    assert errors["error"]["value"] == pytest.approx(50)
    assert errors["balanced_error"]["value"] == pytest.approx(100 * (1 / 3 + 1) / 2)
    assert errors["cross_entropy"]["value"] == pytest.approx(-np.mean(np.log([0.9, 0.8, 0.4, 0.3])))


def test_errors_of_labels():
    target = Target("toxic", "labels", classes=("one", "two"))
    logits = np.array([[2.0, -1.0], [-3.0, 0.5]])
    true = np.array([[1.0, 0.0], [0.0, 0.0]])
    errors = target_errors(target, logits, true)
    assert errors["error"]["value"] == pytest.approx(25)
    probability = 1 / (1 + np.exp(-logits))
    likelihood = np.where(true > 0.5, probability, 1 - probability)
    assert errors["cross_entropy"]["value"] == pytest.approx(-np.log(likelihood).mean())


def test_the_roc_area_is_the_share_of_pairs_in_the_right_order():
    random = np.random.default_rng(0)
    score, label = random.integers(0, 6, 60).astype(float), random.random(60) < 0.4
    positive, negative = score[label][:, None], score[~label][None]
    pairs = (positive > negative) + 0.5 * (positive == negative)
    assert roc_area(score, label) == pytest.approx(pairs.mean())
    assert np.isnan(roc_area(score, np.ones(60, dtype=bool)))
