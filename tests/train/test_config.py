import inspect
from dataclasses import fields

import pytest

from steerable.models import Regressor
from steerable.models.classifier import Classifier
from steerable.train import ConfigError, DataConfig, FitConfig, ModelConfig, ShapesData, ShapesModel


def test_model_settings_are_those_of_the_regressor():
    known = inspect.signature(Regressor).parameters
    assert {field.name: field.default for field in fields(ModelConfig)}.items() <= {
        name: parameter.default for name, parameter in known.items()
    }.items()


def test_model_settings_are_those_of_the_classifier():
    known = {
        name: parameter.default
        for name, parameter in inspect.signature(Classifier).parameters.items()
    }
    points, *levels = known.pop("points")
    chosen = vars(ShapesModel())
    assert (ShapesData().points, chosen.pop("levels")) == (points, levels)
    assert chosen.items() <= known.items()


def test_only_the_split_n_is_asked_for_sizes():
    assert DataConfig(train=7).sizes() == {"train": 7, "validation": 500, "test": 2000}
    assert DataConfig(split="110k").sizes() == {}


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (DataConfig, {"train": 0}, "data.train is a finite number 1 or more; got 0"),
        (DataConfig, {"split": "10k"}, "data.split is one of n, 110k, 100k; got '10k'"),
        (ModelConfig, {"cutoff": 0.0}, "model.cutoff is a finite number above 0; got 0.0"),
        (FitConfig, {"lr": float("nan")}, "fit.lr is a finite number above 0; got nan"),
        (
            FitConfig,
            {"max_seconds": float("inf")},
            "fit.max_seconds is a finite number 0 or more; got inf",
        ),
        (
            FitConfig,
            {"ema_decay": 1.0},
            "fit.ema_decay is a finite number 0 or more and below 1; got 1.0",
        ),
        (FitConfig, {"schedule": "cosin"}, "fit.schedule is one of cosine, plateau; got 'cosin'"),
    ],
)
def test_settings_out_of_range_are_refused(kind, settings, message):
    with pytest.raises(ConfigError, match=message):
        kind(**settings)
