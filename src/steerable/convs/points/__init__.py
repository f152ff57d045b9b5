"""Convolutions on point clouds and graphs: orders of computation, their costs, pooling."""

from typing import TYPE_CHECKING, Any

from .neighbour_conv import NeighbourConv
from .pool import Pool

if TYPE_CHECKING:
    from .converted import from_e3nn
    from .point_conv import PointConv

__all__ = ["NeighbourConv", "PointConv", "Pool", "from_e3nn"]


def __getattr__(name: str) -> Any:
    """Import what needs PyTorch Geometric on first use: that takes seconds."""
    if name == "PointConv":
        from .point_conv import PointConv

        return PointConv
    if name == "from_e3nn":
        from .converted import from_e3nn

        return from_e3nn
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
