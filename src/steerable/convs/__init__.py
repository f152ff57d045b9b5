"""Convolutions: what moves information between points."""

from .points import PointConv
from .pool import Pool

__all__ = ["PointConv", "Pool"]
