"""Convolutions: what moves information between points."""

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
from .points import PointConv, Pool, from_e3nn
from .sets import (
    InducedSetAttention,
    JanossyAggregation,
    OrderWarning,
    SetLinear,
    SortPoolAggregation,
)
from .spaces import GConv, HomSignals, LocalGConv
from .spheres import PointSphere, SphereConv

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
