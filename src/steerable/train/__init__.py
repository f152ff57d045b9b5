"""Training runs: tasks with typed settings, checkpoints as folders, evaluation with baselines."""

from .checkpoint import CheckpointError, load, save
from .config import ConfigError
from .digits import DigitsConfig, DigitsData, DigitsFit, DigitsModel
from .evaluate import certificates, evaluate
from .fit import Interrupted, RunFolderError, fit
from .nbody import NBodyConfig, NBodyData, NBodyFit, NBodyModel
from .options import dump_config, load_config
from .presets import demo
from .qm9 import DataConfig, FitConfig, ModelConfig, QM9Config
from .recorder import DivergedError
from .rollout import RolloutDivergedError, rollout
from .shapes import ShapesConfig, ShapesData, ShapesFit, ShapesModel
from .sphere import SphereConfig, SphereData, SphereFit, SphereModel
from .tasks import TASKS

__all__ = [
    "TASKS",
    "CheckpointError",
    "ConfigError",
    "DataConfig",
    "DigitsConfig",
    "DigitsData",
    "DigitsFit",
    "DigitsModel",
    "DivergedError",
    "FitConfig",
    "Interrupted",
    "ModelConfig",
    "NBodyConfig",
    "NBodyData",
    "NBodyFit",
    "NBodyModel",
    "QM9Config",
    "RolloutDivergedError",
    "RunFolderError",
    "ShapesConfig",
    "ShapesData",
    "ShapesFit",
    "ShapesModel",
    "SphereConfig",
    "SphereData",
    "SphereFit",
    "SphereModel",
    "certificates",
    "demo",
    "dump_config",
    "evaluate",
    "fit",
    "load",
    "load_config",
    "rollout",
    "save",
]
