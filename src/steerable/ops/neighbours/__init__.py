"""Neighbour lists: all pairs within a radius, or the k nearest."""

from .search import knn, knn_graph, radius, radius_graph

__all__ = ["knn", "knn_graph", "radius", "radius_graph"]
