"""Layers of sets: what commutes with permutations."""

from typing import TYPE_CHECKING

from ...lazy import lazy
from .order import OrderWarning
from .ragged import check_numbers, check_occupied, check_sets
from .set_attention import InducedSetAttention
from .set_linear import SetLinear
from .stacked import stack, stacked_field

if TYPE_CHECKING:
    from .janossy import JanossyAggregation
    from .sort_pool import SortPoolAggregation

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

# Aggregations of PyTorch Geometric, which takes seconds to import.
__getattr__ = lazy(
    __name__, {"JanossyAggregation": ".janossy", "SortPoolAggregation": ".sort_pool"}
)
