"""Convolutions: what moves information between points."""

from .converted import from_e3nn
from .downsample import Downsample
from .graph_linear import GraphLinear
from .grid import GridConv2d, GridConv3d
from .homogeneous import GConv, LocalGConv
from .homogeneous_signals import HomSignals
from .janossy import JanossyAggregation
from .order import OrderWarning
from .pair_index import Pairs, pack, pairs_of, unpack
from .pair_product import PairProduct
from .pairs import PairLinear
from .points import PointConv
from .pool import Pool
from .set_attention import InducedSetAttention
from .sets import SetLinear
from .sort_pool import SortPoolAggregation
from .window import StrideWarning

__all__ = [
    "Downsample",
    "GConv",
    "GraphLinear",
    "GridConv2d",
    "GridConv3d",
    "HomSignals",
    "InducedSetAttention",
    "JanossyAggregation",
    "LocalGConv",
    "OrderWarning",
    "PairLinear",
    "PairProduct",
    "Pairs",
    "PointConv",
    "Pool",
    "SetLinear",
    "SortPoolAggregation",
    "StrideWarning",
    "from_e3nn",
    "pack",
    "pairs_of",
    "unpack",
]
