"""Convolutions: what moves information between points."""

from .converted import from_e3nn
from .downsample import Downsample
from .grid import GridConv2d, GridConv3d
from .points import PointConv
from .pool import Pool
from .window import StrideWarning

__all__ = ["Downsample", "GridConv2d", "GridConv3d", "PointConv", "Pool", "StrideWarning", "from_e3nn"]
