"""Data sets, one source a file; their splits and what composition explains."""

from steerable.data.digits import Digits, read_digits, rotated_parts
from steerable.data.qm9 import QM9, TARGETS, Target, target
from steerable.data.references import Statistics, composition, fit_references, fit_statistics
from steerable.data.shapes import Shapes, read_shapes
from steerable.data.splits import Split, split, stratified

__all__ = [
    "QM9",
    "TARGETS",
    "Digits",
    "Shapes",
    "Split",
    "Statistics",
    "Target",
    "composition",
    "fit_references",
    "fit_statistics",
    "read_digits",
    "read_shapes",
    "rotated_parts",
    "split",
    "stratified",
    "target",
]
