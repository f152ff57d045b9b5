"""Training runs: typed settings, a task for Lightning, checkpoints as folders, evaluation with baselines."""

from .checkpoint import CheckpointError, load, save
from .config import ConfigError, DataConfig, FitConfig, ModelConfig, QM9Config
from .evaluate import certificates, evaluate
from .fit import Interrupted, RunFolderError, fit
from .options import dump_config, load_config
from .presets import demo
from .recorder import DivergedError
from .task import PropertyTask

__all__ = [
    "CheckpointError",
    "ConfigError",
    "DataConfig",
    "DivergedError",
    "FitConfig",
    "Interrupted",
    "ModelConfig",
    "PropertyTask",
    "QM9Config",
    "RunFolderError",
    "certificates",
    "demo",
    "dump_config",
    "evaluate",
    "fit",
    "load",
    "load_config",
    "save",
]
