"""Layers of signals on the sphere and the rotations."""

from .activation import SphereActivation, SphereProduct
from .norm import SphereBatchNorm
from .readout import SphereInvariants, SpherePool
from .signals import SphereSignals, sphere_field

__all__ = [
    "SphereActivation",
    "SphereBatchNorm",
    "SphereInvariants",
    "SpherePool",
    "SphereProduct",
    "SphereSignals",
    "sphere_field",
]
