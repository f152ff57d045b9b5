"""The tasks, one a file: their settings, and what is learned, tested and certified."""

from . import presets
from .digits import DigitsConfig, DigitsData, DigitsFit, DigitsModel
from .nbody import NBodyConfig, NBodyData, NBodyFit, NBodyModel
from .presets import demo
from .property import PropertyConfig, PropertyData, PropertyFit
from .qm9 import DataConfig, FitConfig, ModelConfig, QM9Config
from .registry import TASKS, task_of
from .rollout import RolloutDivergedError
from .shapes import ShapesConfig, ShapesData, ShapesFit, ShapesModel
from .sphere import SphereConfig, SphereData, SphereFit, SphereModel

__all__ = [
    "TASKS",
    "DataConfig",
    "DigitsConfig",
    "DigitsData",
    "DigitsFit",
    "DigitsModel",
    "FitConfig",
    "ModelConfig",
    "NBodyConfig",
    "NBodyData",
    "NBodyFit",
    "NBodyModel",
    "PropertyConfig",
    "PropertyData",
    "PropertyFit",
    "QM9Config",
    "RolloutDivergedError",
    "ShapesConfig",
    "ShapesData",
    "ShapesFit",
    "ShapesModel",
    "SphereConfig",
    "SphereData",
    "SphereFit",
    "SphereModel",
    "demo",
    "presets",
    "task_of",
]
