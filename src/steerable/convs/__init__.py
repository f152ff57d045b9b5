"""Convolutions: what moves information between points."""

from .converted import from_e3nn
from .depthwise_products import DepthwiseProducts, Functions, function_field
from .downsample import Downsample
from .graph_linear import GraphLinear
from .grid import GridConv2d, GridConv3d
from .homogeneous import GConv, LocalGConv
from .homogeneous_signals import HomSignals
from .janossy import JanossyAggregation
from .neural_pdo import GridNeuralPDO, NeuralPDO
from .order import OrderWarning
from .pair_index import Pairs, pack, pairs_of, unpack
from .pair_product import PairProduct
from .pairs import PairLinear
from .pdo import GridPDO, SteerablePDO
from .points import PointConv
from .pool import Pool
from .set_attention import InducedSetAttention
from .sets import SetLinear
from .sort_pool import SortPoolAggregation
from .tensor_products import TensorProducts
from .window import StrideWarning

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
    "Pool",
    "SetLinear",
    "SortPoolAggregation",
    "SteerablePDO",
    "StrideWarning",
    "TensorProducts",
    "from_e3nn",
    "function_field",
    "pack",
    "pairs_of",
    "unpack",
]
