"""Loggers of other packages, which get the numbers of each epoch."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from .config import ConfigError

if TYPE_CHECKING:
    from lightning.pytorch.loggers import Logger


def make_logger(name: str, run: Path) -> Logger | None:
    """The logger of a name, which writes to the run folder; None for `none`.

    Raises:
        ConfigError: its package is not installed.
    """
    if name == "none":
        return None
    if find_spec(name) is None:
        raise ConfigError(
            f"fit.logger is {name}, and the package {name} is not installed: pip install {name}, "
            "or leave --fit.logger out; log.csv has the same numbers."
        )
    if name == "tensorboard":
        from lightning.pytorch.loggers import TensorBoardLogger

        return TensorBoardLogger(run, name="tensorboard", version="")
    from lightning.pytorch.loggers import WandbLogger

    return WandbLogger(name=run.name, save_dir=run, project="steerable")
