"""Data sets, one source a file; their splits and what composition explains."""

from steerable.data.qm9 import QM9, TARGETS, Target, target
from steerable.data.references import Statistics, composition, fit_references, fit_statistics
from steerable.data.shapes import Shapes, read_shapes
from steerable.data.splits import Split, split, stratified

__all__ = [
    "QM9",
    "TARGETS",
    "Shapes",
    "Split",
    "Statistics",
    "Target",
    "composition",
    "fit_references",
    "fit_statistics",
    "read_shapes",
    "split",
    "stratified",
    "target",
]
