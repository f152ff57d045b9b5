"""Training runs: tasks with typed settings, checkpoints as folders, evaluation with baselines."""

from steerable.deploy import CheckpointError, load

from .checkpoint import save
from .committee import evaluate_committee, fit_committee
from .config import ConfigError, DivergedError, RunConfig, TrainingConfig
from .data_record import DataRecord, DataSource, Part, checksum
from .evaluate import certificates, certify_run, evaluate, evaluate_file
from .fit import Interrupted, RunFolderError, fit
from .fit_property import PropertyModel, fit_property
from .losses import Loss, Term
from .measures import Measure
from .options import dump_config, load_config, parse, parser
from .rollout import rollout
from .run_data import OtherDataError
from .task import Outcome, Problem, Table, Task
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
    PropertyConfig,
    PropertyData,
    PropertyFit,
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
)

__all__ = [
    "TASKS",
    "CheckpointError",
    "ConfigError",
    "DataConfig",
    "DataRecord",
    "DataSource",
    "DigitsConfig",
    "DigitsData",
    "DigitsFit",
    "DigitsModel",
    "DivergedError",
    "FitConfig",
    "Interrupted",
    "Loss",
    "Measure",
    "ModelConfig",
    "NBodyConfig",
    "NBodyData",
    "NBodyFit",
    "NBodyModel",
    "OtherDataError",
    "Outcome",
    "Part",
    "Problem",
    "PropertyConfig",
    "PropertyData",
    "PropertyFit",
    "PropertyModel",
    "QM9Config",
    "RolloutDivergedError",
    "RunConfig",
    "RunFolderError",
    "ShapesConfig",
    "ShapesData",
    "ShapesFit",
    "ShapesModel",
    "SphereConfig",
    "SphereData",
    "SphereFit",
    "SphereModel",
    "Table",
    "Task",
    "Term",
    "TrainingConfig",
    "certificates",
    "certify_run",
    "checksum",
    "demo",
    "dump_config",
    "evaluate",
    "evaluate_committee",
    "evaluate_file",
    "fit",
    "fit_committee",
    "fit_property",
    "load",
    "load_config",
    "parse",
    "parser",
    "rollout",
    "save",
]
