"""Stencils of derivatives on grids, clouds and surfaces."""

from .cloud import CloudStencil, StencilWarning, cloud_stencil
from .grid import grid_stencil
from .surface import surface_stencil

__all__ = ["CloudStencil", "StencilWarning", "cloud_stencil", "grid_stencil", "surface_stencil"]
