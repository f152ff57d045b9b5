"""Functions of positions: radial bases, cutoffs, harmonics, Fourier transforms on spheres."""

from .circle import circle_analysis, circle_synthesis
from .clebsch_gordan import clebsch_gordan, real_coupling
from .harmonics import solid_harmonics, spherical_harmonics
from .healpix import HealpixTransform
from .layout import Layout
from .points import PointTransform
from .polynomials import (
    Array,
    exponents,
    exponents_up_to,
    factorials,
    harmonic_polynomials,
    monomials,
)
from .radial import bessel, cosine_cutoff, even_gaussian, polynomial_cutoff, safe_norm
from .rings import PrecisionWarning, RingTransform
from .rotations import RotationTransform
from .sources import bump_harmonics, coulomb_harmonics
from .spectra import Bispectrum, Rotate, power_spectrum
from .sphere import SphereGrid, SphereTransform
from .spin import SpinTransform, curl, divergence, gradient
from .wigner import euler_angles, euler_rotation, wigner_d, wigner_matrix

__all__ = [
    "Array",
    "Bispectrum",
    "HealpixTransform",
    "Layout",
    "PointTransform",
    "PrecisionWarning",
    "RingTransform",
    "Rotate",
    "RotationTransform",
    "SphereGrid",
    "SphereTransform",
    "SpinTransform",
    "bessel",
    "bump_harmonics",
    "circle_analysis",
    "circle_synthesis",
    "clebsch_gordan",
    "cosine_cutoff",
    "coulomb_harmonics",
    "curl",
    "divergence",
    "euler_angles",
    "euler_rotation",
    "even_gaussian",
    "exponents",
    "exponents_up_to",
    "factorials",
    "gradient",
    "harmonic_polynomials",
    "monomials",
    "polynomial_cutoff",
    "power_spectrum",
    "real_coupling",
    "safe_norm",
    "solid_harmonics",
    "spherical_harmonics",
    "wigner_d",
    "wigner_matrix",
]
