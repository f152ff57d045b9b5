"""Neighbour lists: all pairs within a radius, or the k nearest; open or periodic boundaries."""

from .periodic import periodic_graph
from .search import knn, knn_graph, radius, radius_graph
from .skin import NeighbourSkin

__all__ = ["NeighbourSkin", "knn", "knn_graph", "periodic_graph", "radius", "radius_graph"]
