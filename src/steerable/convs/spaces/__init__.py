"""Convolutions on homogeneous spaces of a group."""

from .group_conv import GConv, LocalGConv
from .signals import HomSignals

__all__ = ["GConv", "HomSignals", "LocalGConv"]
