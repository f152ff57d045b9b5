"""Real data sets, one source a file, as PyTorch Geometric's `Data`; their splits and what composition explains."""

from steerable.data.qm9 import QM9, TARGETS, Target, target
from steerable.data.references import Statistics, composition, fit_references, fit_statistics
from steerable.data.splits import Split, split

__all__ = [
    "QM9",
    "TARGETS",
    "Split",
    "Statistics",
    "Target",
    "composition",
    "fit_references",
    "fit_statistics",
    "split",
    "target",
]
