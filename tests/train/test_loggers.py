import sys
from types import ModuleType

import pytest

from steerable.train import ConfigError
from steerable.train.loggers import make_logger


def test_no_logger(tmp_path):
    assert make_logger("none", tmp_path) is None


def test_a_logger_whose_package_is_missing_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("steerable.train.loggers.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="pip install wandb"):
        make_logger("wandb", tmp_path)


def test_tensorboard_writes_to_the_run_folder(tmp_path, monkeypatch):
    written = []

    class Logger:
        def __init__(self, folder, name, version):
            written.append((folder, name, version))

    package = ModuleType("lightning.pytorch.loggers")
    package.TensorBoardLogger = Logger
    monkeypatch.setitem(sys.modules, "lightning.pytorch.loggers", package)
    monkeypatch.setattr("steerable.train.loggers.find_spec", lambda name: True)
    assert isinstance(make_logger("tensorboard", tmp_path), Logger)
    assert written == [(tmp_path, "tensorboard", "")]
