"""Training runs: tasks with typed settings, checkpoints as folders, evaluation with baselines."""

from steerable.deploy import CheckpointError, load

from .checkpoint import save
from .config import ConfigError
from .evaluate import certificates, evaluate
from .fit import Interrupted, RunFolderError, fit
from .options import dump_config, load_config, parse, parser
from .recorder import DivergedError
from .tasks import (
    TASKS,
    DataConfig,
    DigitsConfig,
    DigitsData,
    DigitsFit,
    DigitsModel,
    FitConfig,
    ModelConfig,
    NBodyConfig,
    NBodyData,
    NBodyFit,
    NBodyModel,
    QM9Config,
    RolloutDivergedError,
    ShapesConfig,
    ShapesData,
    ShapesFit,
    ShapesModel,
    SphereConfig,
    SphereData,
    SphereFit,
    SphereModel,
    demo,
    rollout,
)

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
    "parse",
    "parser",
    "rollout",
    "save",
]
