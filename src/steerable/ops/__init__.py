"""Operations on graphs and points that know no group: neighbours, segment reductions, moments."""

from .blockwise import Inputs, blockwise, pull, run
from .clouds import check_finite
from .moments import Block, Neighbourhoods, moments, neighbourhoods
from .neighbours import knn, knn_graph, radius, radius_graph
from .sampling import farthest_point_sampling
from .segment import segment_max, segment_mean, segment_softmax, segment_sum

__all__ = [
    "Block",
    "Inputs",
    "Neighbourhoods",
    "blockwise",
    "check_finite",
    "farthest_point_sampling",
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
]
