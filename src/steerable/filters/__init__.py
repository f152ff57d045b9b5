"""Filters: steerable vectors per neighbour, made from relative position and attributes."""

from .filter import Filter, SeparableFilter
from .harmonic import HarmonicFilter
from .implicit import ImplicitFilter

__all__ = ["Filter", "HarmonicFilter", "ImplicitFilter", "SeparableFilter"]
