"""Molecules: QM9, reference energies of atoms, and batches."""

from .molecules import Molecules, gather, molecular_structures
from .qm9 import QM9
from .qm9_targets import TARGETS, Target, target
from .references import Statistics, composition, fit_references, fit_statistics

__all__ = [
    "QM9",
    "TARGETS",
    "Molecules",
    "Statistics",
    "Target",
    "composition",
    "fit_references",
    "fit_statistics",
    "gather",
    "molecular_structures",
    "target",
]
