"""Convolutions: what moves information between points."""

from .converted import from_e3nn
from .downsample import Downsample
from .grid import GridConv2d, GridConv3d
from .homogeneous import GConv, LocalGConv
from .homogeneous_signals import HomSignals
from .points import PointConv
from .pool import Pool
from .window import StrideWarning

__all__ = [
    "Downsample",
    "GConv",
    "GridConv2d",
    "GridConv3d",
    "HomSignals",
    "LocalGConv",
    "PointConv",
    "Pool",
    "StrideWarning",
    "from_e3nn",
]
