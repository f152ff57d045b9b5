"""Filters: steerable vectors per neighbour, made from relative position and attributes."""

from .choose import choose_filter
from .derivative import DerivativeFilter, Derivatives, StencilFilter
from .filter import (
    Filter,
    GridFilter,
    SeparableFilter,
    SharedGeometry,
    attribute_field,
    filter_details,
    filter_line,
    group_of,
)
from .harmonic import HarmonicFilter
from .implicit import ImplicitFilter, harmonic_degree, is_harmonic
from .joint import JointFilter
from .radial import Radial
from .sources import BumpFilter, CoulombFilter
from .spectral import DegreeKnots, SpectralFilter, Taps, near_identity

__all__ = [
    "BumpFilter",
    "CoulombFilter",
    "DegreeKnots",
    "DerivativeFilter",
    "Derivatives",
    "Filter",
    "GridFilter",
    "HarmonicFilter",
    "ImplicitFilter",
    "JointFilter",
    "Radial",
    "SeparableFilter",
    "SharedGeometry",
    "SpectralFilter",
    "StencilFilter",
    "Taps",
    "attribute_field",
    "choose_filter",
    "filter_details",
    "filter_line",
    "group_of",
    "harmonic_degree",
    "is_harmonic",
    "near_identity",
]
