"""The task `property`: any quantities of structures, from files or from Python."""

from .settings import PropertyConfig, PropertyData, PropertyFit
from .task import TASK

__all__ = ["TASK", "PropertyConfig", "PropertyData", "PropertyFit"]
