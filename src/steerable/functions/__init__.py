"""Functions of position that know no group: radial bases, cutoffs, harmonics."""

from .harmonics import solid_harmonics, spherical_harmonics
from .radial import bessel, cosine_cutoff, even_gaussian, gaussian, polynomial_cutoff, safe_norm

__all__ = [
    "bessel",
    "cosine_cutoff",
    "even_gaussian",
    "gaussian",
    "polynomial_cutoff",
    "safe_norm",
    "solid_harmonics",
    "spherical_harmonics",
]
