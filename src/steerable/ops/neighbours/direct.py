"""All pairs of few points at once, by numpy in float64: cheaper than a tree is made."""

from __future__ import annotations

from math import nextafter

import numpy as np
import torch
from torch import Tensor

_FEW_POINTS = 100  # up to where all pairs measured faster than the tree, on a CPU


def is_few(pos: Tensor) -> bool:
    """Whether all pairs of points (node, d) are compared rather than searched."""
    return len(pos) <= _FEW_POINTS and pos.device.type == "cpu"


def direct_pairs(pos: Tensor, cutoff: float, batch: Tensor | None) -> Tensor:
    """`radius_graph` of few points: edge_index (2, edge), sorted by target, then source."""
    points = pos.detach().numpy().astype(np.float64)
    reach = nextafter(cutoff, 0)
    with np.errstate(over="ignore", under="ignore"):
        squares = np.zeros((len(points), len(points)))
        for axis in points.T:
            difference = axis[:, None] - axis
            squares += difference * difference
        close = squares <= reach * reach  # as the tree compares
    if batch is not None:
        graph = batch.numpy()
        close &= graph[:, None] == graph
    close.ravel()[:: len(points) + 1] = False
    target, source = close.nonzero()
    return torch.from_numpy(np.array((source, target)))
