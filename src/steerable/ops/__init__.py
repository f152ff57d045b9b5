"""Operations on graphs and points that know no group: neighbours, segment reductions, moments."""

from .moments import Block, Neighbourhoods, moments, neighbourhoods
from .neighbours import check_finite, knn_graph, radius_graph
from .segment import segment_max, segment_mean, segment_softmax, segment_sum

__all__ = [
    "Block",
    "Neighbourhoods",
    "check_finite",
    "knn_graph",
    "moments",
    "neighbourhoods",
    "radius_graph",
    "segment_max",
    "segment_mean",
    "segment_softmax",
    "segment_sum",
]
