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
from .structures import (
    Column,
    MissingColumnError,
    ReadError,
    Structures,
    concatenate,
    convert,
    from_atoms,
    read,
    read_parts,
    to_atoms,
    write,
)

__all__ = [
    "NBODY_PRESETS",
    "QM9",
    "SYMBOLS",
    "TARGETS",
    "Batches",
    "Change",
    "Column",
    "Digits",
    "Forecast",
    "Items",
    "Label",
    "Labels",
    "MissingColumnError",
    "ReadError",
    "Shapes",
    "Split",
    "Statistics",
    "Structures",
    "Target",
    "baselines",
    "charged",
    "composition",
    "concatenate",
    "convert",
    "fit_references",
    "fit_statistics",
    "from_atoms",
    "gravity",
    "label",
    "named_labels",
    "read",
    "read_digits",
    "read_nbody",
    "read_parts",
    "read_shapes",
    "rotated_parts",
    "solar_system",
    "split",
    "springs",
    "stratified",
    "target",
    "to_atoms",
    "write",
]
