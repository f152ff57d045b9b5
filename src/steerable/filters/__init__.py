"""Filters: steerable vectors per neighbour, made from relative position and attributes."""

from .choose import choose_filter
from .filter import Filter, SeparableFilter, attribute_field
from .harmonic import HarmonicFilter
from .implicit import ImplicitFilter, harmonic_degree, is_harmonic
from .radial import Radial

__all__ = [
    "Filter",
    "HarmonicFilter",
    "ImplicitFilter",
    "Radial",
    "SeparableFilter",
    "attribute_field",
    "choose_filter",
    "harmonic_degree",
    "is_harmonic",
]
