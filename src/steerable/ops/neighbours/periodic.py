"""Neighbour lists of periodic structures: crystals, slabs and wires.

Every way finds each pair of points, or images of points, once and in float64: on a CPU by vesin
where it is installed, else by the k-d tree of scipy; on other devices by all pairs at once, or by a
cell list. All of them search slightly beyond the cutoff, and the pairs close to it are decided by
one formula; so all ways agree.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import Tensor

from ..clouds import check_points
from .bins import Close, binned_pairs
from .by_vesin import halves_of_vesin, serves
from .cutoffs import check_cutoff
from .dense import all_pairs
from .halves import Halves, within
from .images import images, wrapped
from .lattice import Lattices, Periodic, lattices
from .memory import check_images, check_pairs
from .pairs import both_ways
from .tree import build_tree

_SLACK = 1e-12  # of the largest coordinate: far above the rounding of wrapped positions


def periodic_graph(
    pos: Tensor,
    cutoff: float,
    cell: Tensor,
    pbc: Periodic,
    batch: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    r"""All pairs of points and images of points that are closer than `cutoff`.

    The edge j -> i with shift s has the offset x_j - x_i + s C, whose length is below the cutoff;
    `Edges.between(pos, edge_index, shift, cell, batch)` computes it. A point is a neighbour of its
    own images, and any number of images of one point may be neighbours of another. The cell may be
    skewed, left-handed or smaller than the cutoff, and points may lie outside it: shifts refer to
    the positions as given. With every edge its reverse is there, with the opposite shift.

    Args:
        pos: points (node, d).
        cutoff: radius, in the unit of `pos`; no number of neighbours is too many.
        cell: C, rows are the vectors: (d, d) for all graphs, or (graph, d, d). Those of directions
            without period do not matter and may be zero.
        pbc: which directions are periodic: (d,), or (graph, d), or one for all.
        batch: graph of every point (node,), in any order; one graph if absent.

    Returns:
        edge_index (2, edge), row 0 the source j, row 1 the target i, and shift (edge, d), integers
        s; sorted by target, then source, then shift.

    Raises:
        ValueError: positions or cells that are not finite, a cutoff that is not positive, periodic
            directions of a cell without volume, shapes that do not fit, or more edges than free
            memory holds.

    Example::

        edge_index, shift = periodic_graph(pos, 5.0, cell, pbc=(True, True, False))
        edges = Edges.between(pos, edge_index, shift, cell)
    """
    check_points(pos, batch)
    check_cutoff(cutoff, "periodic_graph")
    graph, graphs = graphs_of(cell, batch)
    lattice = lattices(cell, pbc, graphs, pos.shape[1])
    graph = None if graphs == 1 else graph
    points = pos.detach().double()
    check_pairs(points, graph, cutoff, lattice)
    slack = _SLACK * (cutoff + _largest(points, lattice))
    if serves(points, graphs):
        halves = halves_of_vesin(points, cutoff + slack, lattice, graph)
    else:
        halves = _halves_of_images(points, cutoff + slack, lattice, graph)
    halves = within(halves, points, graph, lattice, cutoff, slack)
    return both_ways(halves.source, halves.target, halves.shift, len(points))


def graphs_of(cell: Tensor, batch: Tensor | None) -> tuple[Tensor | None, int]:
    """The graph of every point, and how many there are."""
    if batch is None:
        return None, 1
    low, high = batch.aminmax() if len(batch) else (0, -1)
    graphs = len(cell) if cell.dim() == 3 else int(high) + 1
    if int(low) < 0 or int(high) >= graphs:
        raise ValueError(
            f"batch holds numbers of cells from 0 to {graphs - 1}; got {int(low)} to {int(high)}."
        )
    return batch.long(), graphs


def _largest(points: Tensor, lattice: Lattices) -> float:
    """The largest coordinate of the points and the vectors."""
    largest = float(points.abs().max()) if points.numel() else 0.0
    return largest + float(np.abs(lattice.vectors).max(initial=0.0))


def _halves_of_images(
    points: Tensor, reach: float, lattice: Lattices, graph: Tensor | None
) -> Halves:
    """The pairs of the points in their cells, as targets, and their images, as sources."""
    inside = wrapped(points, lattice, graph)
    check = partial(check_images, cutoff=reach, device=points.device)
    sources = images(inside, reach, lattice, graph, check)
    batch = None if graph is None else graph[sources.owner]
    close = _close(sources.pos, inside.pos, batch, graph, reach)
    source, target, cell = sources.owner[close.source], close.target, sources.cell[close.source]
    # Pairs within the cell come from both ends, and every point with itself.
    once = (source < target) | (cell != 0).any(1)
    shift = cell - inside.cells[source] + inside.cells[target]  # of the positions as given
    return Halves(source, target, shift, close.distance).chosen(once)


def _uses_tree(points: Tensor) -> bool:
    return points.device.type == "cpu"


def _close(
    source: Tensor,
    target: Tensor,
    batch_source: Tensor | None,
    batch_target: Tensor | None,
    reach: float,
) -> Close:
    """All pairs of a source and a target of one graph at a distance of `reach` at most."""
    if not _uses_tree(source):
        pairs = all_pairs(source, target, batch_source, batch_target)
        if pairs is None:
            return binned_pairs(source, target, batch_source, batch_target, reach)
        graph, i, j = torch.nonzero(pairs.distance <= reach, as_tuple=True)
        return Close(pairs.sources[graph, j], pairs.targets[graph, i], pairs.distance[graph, i, j])
    tree = build_tree(target, batch_target, reach)
    others = build_tree(source, batch_source, reach)
    distances = tree.sparse_distance_matrix(others, reach, output_type="ndarray")
    return Close(*[torch.from_numpy(np.ascontiguousarray(distances[name])) for name in "jiv"])
