"""Convolutions on grids."""

from .downsample import Downsample
from .grid_conv import GridConv2d, GridConv3d
from .window import StrideWarning

__all__ = ["Downsample", "GridConv2d", "GridConv3d", "StrideWarning"]
