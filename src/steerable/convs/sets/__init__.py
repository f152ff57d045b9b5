"""Layers of sets: what commutes with permutations."""

from .janossy import JanossyAggregation
from .order import OrderWarning
from .ragged import check_numbers, check_occupied, check_sets
from .set_attention import InducedSetAttention
from .set_linear import SetLinear
from .sort_pool import SortPoolAggregation
from .stacked import stack, stacked_field

__all__ = [
    "InducedSetAttention",
    "JanossyAggregation",
    "OrderWarning",
    "SetLinear",
    "SortPoolAggregation",
    "check_numbers",
    "check_occupied",
    "check_sets",
    "stack",
    "stacked_field",
]
