"""Layers of sets: what commutes with permutations."""

from .janossy import JanossyAggregation
from .order import OrderWarning
from .set_attention import InducedSetAttention
from .set_linear import SetLinear
from .sort_pool import SortPoolAggregation

__all__ = [
    "InducedSetAttention",
    "JanossyAggregation",
    "OrderWarning",
    "SetLinear",
    "SortPoolAggregation",
]
