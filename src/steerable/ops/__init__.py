"""Operations on graphs and points that know no group: neighbours, segment reductions, moments."""

from .cache_folder import CACHE_VARIABLE, cache_folder
from .clouds import check_finite, check_points
from .neighbours import knn, knn_graph, radius, radius_graph
from .sampling import farthest_point_sampling
from .stencils import CloudStencil, StencilWarning, cloud_stencil, grid_stencil, surface_stencil
from .sums import (
    Block,
    Inputs,
    Loops,
    NativeStatus,
    NativeWarning,
    Neighbourhoods,
    blockwise,
    moments,
    native_status,
    neighbourhoods,
    pull,
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
    "Inputs",
    "Loops",
    "NativeStatus",
    "NativeWarning",
    "Neighbourhoods",
    "StencilWarning",
    "blockwise",
    "cache_folder",
    "check_finite",
    "check_points",
    "cloud_stencil",
    "farthest_point_sampling",
    "grid_stencil",
    "knn",
    "knn_graph",
    "moments",
    "native_status",
    "neighbourhoods",
    "pull",
    "radius",
    "radius_graph",
    "run",
    "segment_max",
    "segment_mean",
    "segment_min",
    "segment_softmax",
    "segment_sum",
    "surface_stencil",
]
