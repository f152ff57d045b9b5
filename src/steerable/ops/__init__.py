"""Operations on graphs and points that know no group: neighbours, segment reductions, moments."""

from .cache_folder import CACHE_VARIABLE, cache_folder
from .clouds import check_finite, check_points
from .edges import Edges, as_index, check_edge_index, shared
from .neighbours import knn, knn_graph, radius, radius_graph
from .sampling import farthest_point_sampling
from .stencils import CloudStencil, StencilWarning, cloud_stencil, grid_stencil, surface_stencil
from .sums import (
    Block,
    Inputs,
    Kernel,
    Loops,
    Neighbourhoods,
    Rows,
    blockwise,
    moments,
    neighbourhoods,
    pull,
    pull_twice,
    run,
    segment_max,
    segment_mean,
    segment_min,
    segment_softmax,
    segment_sum,
)

__all__ = [
    "CACHE_VARIABLE",
    "Block",
    "CloudStencil",
    "Edges",
    "Inputs",
    "Kernel",
    "Loops",
    "Neighbourhoods",
    "Rows",
    "StencilWarning",
    "as_index",
    "blockwise",
    "cache_folder",
    "check_edge_index",
    "check_finite",
    "check_points",
    "cloud_stencil",
    "farthest_point_sampling",
    "grid_stencil",
    "knn",
    "knn_graph",
    "moments",
    "neighbourhoods",
    "pull",
    "pull_twice",
    "radius",
    "radius_graph",
    "run",
    "segment_max",
    "segment_mean",
    "segment_min",
    "segment_softmax",
    "segment_sum",
    "shared",
    "surface_stencil",
]
