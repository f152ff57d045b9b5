from dataclasses import FrozenInstanceError, dataclass, fields

import pytest

from steerable.train import (
    TASKS,
    ConfigError,
    DataConfig,
    FitConfig,
    ModelConfig,
    RunConfig,
    TrainingConfig,
)
from steerable.train.options import dump_config, load_config, parser


@dataclass
class Cubes:
    """Cubes.

    Args:
        side: of a cube.
    """

    side: int = 3


class CubesConfig(RunConfig[Cubes, ModelConfig, TrainingConfig]):
    """A training run on cubes."""

    task = "cubes"


def test_a_run_of_one_s_own_has_typed_sections(tmp_path):
    config = CubesConfig(Cubes(5))
    assert [field.name for field in fields(config)] == ["data", "model", "fit", "run"]
    assert (config.model, config.fit, config.run) == (ModelConfig(), TrainingConfig(), "runs/cubes")
    assert config != CubesConfig() == CubesConfig(Cubes(3))
    assert CubesConfig().data is not CubesConfig().data
    (tmp_path / "config.yaml").write_text(dump_config(config))
    assert load_config(tmp_path / "config.yaml", CubesConfig) == config
    options = {
        option for action in parser(CubesConfig)._actions for option in action.option_strings
    }
    assert {"--data.side", "--model.hidden", "--fit.lr", "--run"} <= options


@pytest.mark.parametrize("name", TASKS)
def test_the_settings_of_a_network_are_frozen(name):
    config = TASKS[name].config()
    assert isinstance(config, RunConfig)
    assert config.task == name
    with pytest.raises(FrozenInstanceError):
        config.model.hidden = 3


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
