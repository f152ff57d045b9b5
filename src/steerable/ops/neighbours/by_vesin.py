"""The search by vesin, a cell list in C++ for a CPU, where it is installed."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

import numpy as np
import torch
from torch import Tensor

from ..clouds import clouds
from .halves import Halves
from .lattice import Lattices

_POINTS_A_GRAPH = 100  # below which the tree of a whole batch is faster than a call for each graph


@cache
def is_installed() -> bool:
    """Whether there is vesin."""
    return find_spec("vesin") is not None


def serves(points: Tensor, graphs: int) -> bool:
    """Whether vesin is there and faster than the tree for these points (node, d)."""
    if points.device.type != "cpu" or points.shape[1] != 3 or not len(points):
        return False
    return (graphs == 1 or len(points) >= _POINTS_A_GRAPH * graphs) and is_installed()


def halves_of_vesin(
    points: Tensor, reach: float, lattice: Lattices, graph: Tensor | None
) -> Halves:
    """Every pair within `reach` once, graph by graph."""
    if graph is None:
        return _one(points, reach, lattice, 0)
    sets = clouds(graph, points)
    ends = [0, *sets.counts.cumsum(0).tolist()]
    parts = []
    for row, number in enumerate(sets.numbers.tolist()):
        nodes = sets.order[ends[row] : ends[row + 1]]
        part = _one(points[nodes], reach, lattice, number)
        parts.append(part._replace(source=nodes[part.source], target=nodes[part.target]))
    return Halves(*[torch.cat(columns) for columns in zip(*parts, strict=True)])


def _one(points: Tensor, reach: float, lattice: Lattices, number: int) -> Halves:
    """The pairs of the points of one graph."""
    from vesin import NeighborList

    # In data loaders' workers torch has one thread, and so has vesin.
    search = NeighborList(cutoff=reach, full_list=False, n_threads=torch.get_num_threads())
    pairs, shift, distance = search.compute(
        points.numpy(), lattice.vectors[number], lattice.periodic[number], "PSd", copy=False
    )
    # The arrays belong to `search`: whatever is kept is copied.
    pairs = torch.from_numpy(pairs.astype(np.int64))
    shift = torch.from_numpy(shift.astype(np.int64))
    return Halves(pairs[:, 1], pairs[:, 0], shift, torch.from_numpy(distance.copy()))
