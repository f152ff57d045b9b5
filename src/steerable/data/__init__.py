"""Data sets, one source a file; their splits and what composition explains."""

from steerable.data import charged, gravity, solar_system, springs
from steerable.data.digits import Digits, read_digits, rotated_parts
from steerable.data.nbody import PRESETS as NBODY_PRESETS
from steerable.data.nbody import Forecast, baselines, read_nbody
from steerable.data.qm9 import QM9, TARGETS, Target, target
from steerable.data.references import Statistics, composition, fit_references, fit_statistics
from steerable.data.shapes import Shapes, read_shapes
from steerable.data.splits import Split, split, stratified

__all__ = [
    "NBODY_PRESETS",
    "QM9",
    "TARGETS",
    "Digits",
    "Forecast",
    "Shapes",
    "Split",
    "Statistics",
    "Target",
    "baselines",
    "charged",
    "composition",
    "fit_references",
    "fit_statistics",
    "gravity",
    "read_digits",
    "read_nbody",
    "read_shapes",
    "rotated_parts",
    "solar_system",
    "split",
    "springs",
    "stratified",
    "target",
]
