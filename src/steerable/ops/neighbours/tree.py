"""The k-d tree of scipy over all graphs of a batch: the search on a CPU, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

_TIED_PAIRS = 4_000_000


def search_radius(source: Tensor, target: Tensor, cutoff: float = float("inf")) -> float:
    """What the tree is asked for.

    This is the largest distance below the cutoff, or more than any within a graph.
    """
    both = torch.cat([source, target]).detach().cpu().double()
    span = float(torch.linalg.vector_norm(both.amax(0) - both.amin(0))) if len(both) else 0.0
    return min(float(np.nextafter(cutoff, 0)), 2 * span + 1)


def lifted(pos: Tensor, batch: Tensor | None, reach: float) -> np.ndarray:
    """Points (node, d + 1), with those of different graphs out of reach of each other."""
    batch = torch.zeros(len(pos)) if batch is None else batch
    graph = batch.cpu().double()[:, None] * (2 * reach)
    return torch.cat([pos.detach().cpu().double(), graph], dim=1).numpy()


def build_tree(pos: Tensor, batch: Tensor | None, reach: float) -> Any:
    """The tree of points (node, d), those of different graphs out of reach of each other."""
    from scipy.spatial import cKDTree

    return cKDTree(
        lifted(pos, batch, reach), balanced_tree=False
    )  # sooner made and up to 1.5 times faster to search


def nearest_in_tree(tree: Any, points: np.ndarray, k: int, width: int, reach: float) -> np.ndarray:
    """The nearest k (point, k) of points (point, d + 1) in the tree, found among `width`.

    `tree.n` where none is.
    """
    width = max(1, min(width, tree.n))
    distance, indices = tree.query(points, range(1, width + 1), distance_upper_bound=reach)
    if width <= k:
        return np.asarray(indices)
    # The tree may take any of those at the distance of the k-th: look at all of them, and sort by
    # index as well.
    limit = distance[:, k - 1]
    tied = np.flatnonzero((limit == distance[:, k]) & (limit < np.inf))
    order = np.lexsort((indices[tied], distance[tied]))
    indices[tied] = np.take_along_axis(indices[tied], order, axis=1)
    wider = tied[distance[tied, -1] == limit[tied]] if width < tree.n else tied[:0]
    for rows in np.array_split(wider, 1 + len(wider) * width // _TIED_PAIRS):
        if len(rows):
            indices[rows, :k] = nearest_in_tree(tree, points[rows], k, 2 * width, reach)
    return np.asarray(indices[:, :k])
