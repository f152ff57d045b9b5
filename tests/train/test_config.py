import pytest

from steerable.train import ConfigError, DataConfig, FitConfig, ModelConfig


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
