"""Training runs: tasks with typed settings, checkpoints as folders, evaluation with baselines."""

from .checkpoint import CheckpointError, load, save
from .config import ConfigError
from .evaluate import certificates, evaluate
from .fit import Interrupted, RunFolderError, fit
from .options import dump_config, load_config
from .presets import demo
from .qm9 import DataConfig, FitConfig, ModelConfig, QM9Config
from .recorder import DivergedError
from .shapes import ShapesConfig, ShapesData, ShapesFit, ShapesModel
from .tasks import TASKS

__all__ = [
    "TASKS",
    "CheckpointError",
    "ConfigError",
    "DataConfig",
    "DivergedError",
    "FitConfig",
    "Interrupted",
    "ModelConfig",
    "QM9Config",
    "RunFolderError",
    "ShapesConfig",
    "ShapesData",
    "ShapesFit",
    "ShapesModel",
    "certificates",
    "demo",
    "dump_config",
    "evaluate",
    "fit",
    "load",
    "load_config",
    "save",
]
