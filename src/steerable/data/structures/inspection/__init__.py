"""A look at structures before anything is learned from them."""

from .facts import ColumnFacts, Element, Range
from .inspect import inspect
from .report import Inspection, Suspicion

__all__ = ["ColumnFacts", "Element", "Inspection", "Range", "Suspicion", "inspect"]
