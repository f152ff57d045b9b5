"""Convolutions on point clouds and graphs: orders of computation, their costs, pooling."""

from .converted import from_e3nn
from .point_conv import PointConv
from .pool import Pool

__all__ = ["PointConv", "Pool", "from_e3nn"]
