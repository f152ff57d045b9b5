"""Differential operators with constant coefficients, and bases of the equivariant ones."""

from . import named
from .basis import harmonic_couplings, symbol_basis
from .gaussian import smoothed_kernel
from .polynomial import MatrixPolynomial
from .symbol import Symbol

__all__ = [
    "MatrixPolynomial",
    "Symbol",
    "harmonic_couplings",
    "named",
    "smoothed_kernel",
    "symbol_basis",
]
