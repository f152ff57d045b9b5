"""Operations on graphs and points that know no group: neighbours, segment reductions, moments."""

from .blockwise import Inputs, Loops, blockwise, pull, run
from .cloud_stencils import CloudStencil, StencilWarning, cloud_stencil
from .clouds import check_finite
from .moments import Block, Neighbourhoods, moments, neighbourhoods
from .neighbours import knn, knn_graph, radius, radius_graph
from .sampling import farthest_point_sampling
from .segment import segment_max, segment_mean, segment_softmax, segment_sum
from .stencils import grid_stencil
from .surface_stencils import surface_stencil

__all__ = [
    "Block",
    "CloudStencil",
    "Inputs",
    "Loops",
    "Neighbourhoods",
    "StencilWarning",
    "blockwise",
    "check_finite",
    "cloud_stencil",
    "farthest_point_sampling",
    "grid_stencil",
    "knn",
    "knn_graph",
    "moments",
    "neighbourhoods",
    "pull",
    "radius",
    "radius_graph",
    "run",
    "segment_max",
    "segment_mean",
    "segment_softmax",
    "segment_sum",
    "surface_stencil",
]
