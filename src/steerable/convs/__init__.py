"""Convolutions: what moves information between points."""

from typing import TYPE_CHECKING

from ..lazy import lazy
from .grids import Downsample, GridConv2d, GridConv3d, StrideWarning
from .pairs import PairLinear, PairProduct, Pairs, pack, pairs_of, unpack
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
from .sets import InducedSetAttention, OrderWarning, SetLinear
from .spaces import GConv, HomSignals, LocalGConv
from .spheres import PointSphere, SphereConv

if TYPE_CHECKING:
    from .pairs import GraphLinear
    from .points import PointConv, from_e3nn
    from .sets import JanossyAggregation, SortPoolAggregation

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

# Classes of PyTorch Geometric, which takes seconds to import.
__getattr__ = lazy(
    __name__,
    {
        "GraphLinear": ".pairs",
        "PointConv": ".points",
        "from_e3nn": ".points",
        "JanossyAggregation": ".sets",
        "SortPoolAggregation": ".sets",
    },
)
