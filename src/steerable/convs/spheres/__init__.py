"""Convolutions on the sphere and the rotations, and from points to them."""

from .point_sphere import PointSphere
from .sphere_conv import SphereConv

__all__ = ["PointSphere", "SphereConv"]
