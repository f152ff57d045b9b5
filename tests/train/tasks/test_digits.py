"""The task of digits, on digits that are drawn and with a network that is small."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rich.console import Console

from steerable.data import read_digits
from steerable.data.images.pictures import PictureBatch, Pictures
from steerable.report import draw
from steerable.train import TASKS, ConfigError, evaluate, fit, load
from steerable.train.tasks.digits import (
    DigitsConfig,
    DigitsData,
    DigitsFit,
    DigitsModel,
    augmentation,
)

QUIET = Console(quiet=True)


@pytest.fixture
def config(tmp_path):
    data = DigitsData(train=240, validation=40, test=120)
    model = DigitsModel(
        group="C4", kernel="kernel", widths=[4, 4], stops=[1], size=3, order=2, hidden=8, dropout=0
    )
    fit = DigitsFit(epochs=5, batch_size=16, warmup_steps=5, lr=2e-2, ema_decay=0.9)
    return DigitsConfig(data, model, fit, str(tmp_path / "run"))


def test_a_run_learns_is_certified_and_can_be_evaluated_again(config):
    run = fit(config, console=QUIET)
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["task"] == "digits/strokes" and metrics["test"]["pictures"] == 120
    assert (
        metrics["test"]["error"]["value"] < 75 < metrics["baselines"]["majority"]["error"]["value"]
    )
    assert metrics["certificate"]["passed"] and metrics["certificate"]["group"] == "C4"
    assert metrics["certificate"]["equivariance_float64"] < 1e-10
    again = evaluate(run)
    assert again["test"] == metrics["test"]
    model, metadata = load(run)
    assert metadata["split"] == {"seed": 0, "train": 240, "validation": 40, "test": 120}
    assert model(torch.zeros(2, 29, 29)).shape == (2, 10)
    assert draw(run)[1].name == "confusion.png" and len(metrics["test"]["per_class"]) == 10
    assert len((Path(run) / "predictions.csv").read_text().splitlines()) == 121


def test_the_test_is_the_same_whatever_is_learned(config):
    task = TASKS["digits"]
    before = task.held_out(config, None)
    config.data.train, config.data.validation = 100, 50
    after = task.held_out(config, None)
    assert torch.equal(before.images, after.images) and torch.equal(before.label, after.label)


def test_pictures_have_a_middle_and_turn_about_it():
    pictures = Pictures(read_digits())
    assert pictures.images.shape == (1000, 29, 29)
    batch = pictures.batch(torch.tensor([3, 1]))
    assert batch.y.tolist() == [3, 1]
    for data, rtol in ((DigitsData(), 0.03), (DigitsData(turn=False, deform=0.1), 0.4)):
        moved = augmentation(data)(batch, torch.Generator().manual_seed(0))
        assert isinstance(moved, PictureBatch) and moved.y.tolist() == [3, 1]
        assert not torch.equal(moved.images, batch.images)
        torch.testing.assert_close(
            moved.images.sum((1, 2)), batch.images.sum((1, 2)), rtol=rtol, atol=0
        )
    assert augmentation(DigitsData(turn=False)) is None


def test_settings_that_make_no_sense_are_named(config):
    with pytest.raises(ConfigError, match=r"data.train"):
        DigitsData(train=0)
    with pytest.raises(ConfigError, match=r"model.kernel"):
        DigitsModel(kernel="wavelet")
    config.data.train = 2000
    with pytest.raises(ValueError, match="There are 1000 digits"):
        fit(config, console=QUIET)
    config.data.train, config.model = 100, replace(config.model, group="O(3)")
    with pytest.raises(
        ValueError, match=r"A group of the plane is one of SO\(2\), O\(2\), trivial"
    ):
        fit(config, console=QUIET)
