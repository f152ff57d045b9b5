"""Convolutions: what moves information between points."""

from typing import TYPE_CHECKING, Any

from .grids import Downsample, GridConv2d, GridConv3d, StrideWarning
from .pairs import GraphLinear, PairLinear, PairProduct, Pairs, pack, pairs_of, unpack
from .pdos import (
    DepthwiseProducts,
    Functions,
    GridNeuralPDO,
    GridPDO,
    NeuralPDO,
    SteerablePDO,
    TensorProducts,
    function_field,
)
from .points import NeighbourConv, Pool
from .sets import (
    InducedSetAttention,
    JanossyAggregation,
    OrderWarning,
    SetLinear,
    SortPoolAggregation,
)
from .spaces import GConv, HomSignals, LocalGConv
from .spheres import PointSphere, SphereConv

if TYPE_CHECKING:
    from .points import PointConv, from_e3nn

__all__ = [
    "DepthwiseProducts",
    "Downsample",
    "Functions",
    "GConv",
    "GraphLinear",
    "GridConv2d",
    "GridConv3d",
    "GridNeuralPDO",
    "GridPDO",
    "HomSignals",
    "InducedSetAttention",
    "JanossyAggregation",
    "LocalGConv",
    "NeighbourConv",
    "NeuralPDO",
    "OrderWarning",
    "PairLinear",
    "PairProduct",
    "Pairs",
    "PointConv",
    "PointSphere",
    "Pool",
    "SetLinear",
    "SortPoolAggregation",
    "SphereConv",
    "SteerablePDO",
    "StrideWarning",
    "TensorProducts",
    "from_e3nn",
    "function_field",
    "pack",
    "pairs_of",
    "unpack",
]


def __getattr__(name: str) -> Any:
    """Import what needs PyTorch Geometric on first use: that takes seconds."""
    if name in ("PointConv", "from_e3nn"):
        from . import points

        return getattr(points, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
