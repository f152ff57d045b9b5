"""Data sets (one source per file), their splits, and batches of them."""

from .batches import Batches, Change, Items
from .elements import SYMBOLS
from .images import Digits, read_digits, rotated_parts
from .labels import Label, Labels, label, named_labels
from .molecules import (
    QM9,
    TARGETS,
    Statistics,
    Target,
    composition,
    fit_references,
    fit_statistics,
    target,
)
from .particles import PRESETS as NBODY_PRESETS
from .particles import Forecast, baselines, charged, gravity, read_nbody, solar_system, springs
from .shapes import Shapes, read_shapes
from .splits import Split, split, stratified

__all__ = [
    "NBODY_PRESETS",
    "QM9",
    "SYMBOLS",
    "TARGETS",
    "Batches",
    "Change",
    "Digits",
    "Forecast",
    "Items",
    "Label",
    "Labels",
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
    "label",
    "named_labels",
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
