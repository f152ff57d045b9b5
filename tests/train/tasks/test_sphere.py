"""The task of digits on the sphere, on digits that are drawn and with a network that is small."""

import json
from pathlib import Path

import pytest
import torch
from rich.console import Console

from steerable.train import ConfigError, evaluate, fit, load
from steerable.train.tasks.sphere import SphereConfig, SphereData, SphereFit, SphereModel, held_out

QUIET = Console(quiet=True)


@pytest.fixture
def config(tmp_path):
    data = SphereData(train=240, validation=40, test=120, rotation="none")
    model = SphereModel(rings=16, degrees=[11, 5, 3], widths=[6, 8], knots=3, hidden=16, dropout=0)
    fit = SphereFit(epochs=5, batch_size=16, warmup_steps=5, lr=2e-2, ema_decay=0.9)
    return SphereConfig(data, model, fit, str(tmp_path / "run"))


def test_a_run_on_upright_digits_knows_turned_ones_is_certified_and_can_be_evaluated_again(config):
    run = fit(config, console=QUIET)
    metrics = json.loads((run / "metrics.json").read_text())
    test = metrics["test"]
    assert metrics["task"] == "sphere/strokes" and test["pictures"] == 120
    assert test["error"]["value"] < 60 < metrics["baselines"]["majority"]["error"]["value"]
    assert abs(test["error"]["value"] - test["error_upright"]["value"]) < 8
    assert test["changed_by_rotation"]["value"] < 15
    assert (
        metrics["certificate"]["passed"] and metrics["certificate"]["group"] == "C3 about the pole"
    )
    assert metrics["certificate"]["equivariance_float64"] < 1e-10
    assert evaluate(run)["test"] == test
    model, metadata = load(run)
    assert metadata["rotation"] == "none"
    assert metadata["split"] == {"seed": 0, "train": 240, "validation": 40, "test": 120}
    assert model(torch.zeros(2, 16, 32)).shape == (2, 10)
    assert len((Path(run) / "predictions.csv").read_text().splitlines()) == 121


def test_the_test_is_the_same_whatever_is_learned(config):
    before = held_out(config, None)
    config.data.train, config.data.rotation = 100, "so3"
    after = held_out(config, None)
    chosen = torch.tensor([3, 1])
    assert torch.equal(before.batch(chosen).samples, after.batch(chosen).samples)
    assert torch.equal(before.label, after.label)


def test_settings_that_make_no_sense_are_named(config):
    with pytest.raises(ConfigError, match=r"data.rotation is one of none, so3; got 'z'"):
        SphereData(rotation="z")
    with pytest.raises(ConfigError, match=r"data.train"):
        SphereData(train=0)
    with pytest.raises(
        ConfigError, match=r"model.degrees has the degree of the input .* got \[3\] and \[2\]"
    ):
        SphereModel(degrees=[3], widths=[2])
    with pytest.raises(ConfigError, match=r"model.knots"):
        SphereModel(knots=1)
    config.data.train = 2000
    with pytest.raises(ValueError, match="There are 1000 digits"):
        fit(config, console=QUIET)
