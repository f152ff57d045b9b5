"""Convolutions on point clouds and graphs: orders of computation, their costs, pooling."""

from typing import TYPE_CHECKING

from ...lazy import lazy
from .neighbour_conv import NeighbourConv
from .pool import Pool

if TYPE_CHECKING:
    from .converted import from_e3nn
    from .point_conv import PointConv

__all__ = ["NeighbourConv", "PointConv", "Pool", "from_e3nn"]

# A layer of PyTorch Geometric, which takes seconds to import.
__getattr__ = lazy(__name__, {"PointConv": ".point_conv", "from_e3nn": ".converted"})
