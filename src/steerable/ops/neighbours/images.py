"""The images of points in neighbouring cells that are within reach of the cell itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from .lattice import Lattices


class Wrapped(NamedTuple):
    """Points moved into their cells, in float64."""

    pos: Tensor
    """(node, d)"""
    cells: Tensor
    """(node, d), the integers w of pos = given - w C."""
    fraction: Tensor
    """(node, d), pos as fractions of the vectors, in [0, 1) where they are periodic."""


class Images(NamedTuple):
    """Images of wrapped points, those in the cell itself included."""

    pos: Tensor
    """(image, d)"""
    owner: Tensor
    """(image,), the point."""
    cell: Tensor
    """(image, d), the integers n of pos = wrapped + n C."""


def wrapped(pos: Tensor, lattice: Lattices, graph: Tensor | None) -> Wrapped:
    """Points (node, d) in the cells of their graphs, all in the first if `graph` is absent."""
    inverse, periodic = _per_node((lattice.inverse, lattice.periodic), pos, graph)
    vectors = torch.from_numpy(lattice.vectors.copy()).to(pos.device)
    fraction = _times(pos, inverse)
    cells = fraction.floor() * periodic
    inside = pos - _times(cells, vectors[0] if graph is None else vectors[graph])
    return Wrapped(inside, cells.long(), fraction - cells)


def images(
    points: Wrapped,
    reach: float,
    lattice: Lattices,
    graph: Tensor | None,
    check: Callable[[int], None],
) -> Images:
    """One of every two opposite images within `reach` of the cell.

    An image n is in the list if the first of its integers that is not zero is positive, or all are
    zero. The others give the same pairs of points, seen from the other end.

    Args:
        points: those of all graphs.
        reach: distance in the unit of the points.
        lattice: of all graphs.
        graph: of every point (node,); all of graph 0 if absent.
        check: called with the number of images on both sides, before they are made.
    """
    heights, periodic = _per_node((lattice.heights, lattice.periodic), points.pos, graph)
    margin = reach / heights
    low = torch.ceil(-margin - points.fraction) * periodic
    high = torch.floor(1 + margin - points.fraction) * periodic
    check(int((high - low + 1).prod(1).sum()))
    low[:, 0] = 0
    widths = (high - low + 1).long().clamp_(min=0)
    counts = widths.prod(1)
    owner = torch.repeat_interleave(counts)
    # The number of an image among those of its point, in the mixed radix of the widths.
    rank = torch.arange(len(owner), device=owner.device) - (counts.cumsum(0) - counts)[owner]
    cell = torch.empty(len(owner), widths.shape[1], dtype=torch.long, device=owner.device)
    for axis in reversed(range(widths.shape[1])):
        width = widths[:, axis][owner]
        cell[:, axis] = rank % width
        rank = rank // width
    cell += low.long()[owner]
    upper = _is_upper(cell)
    owner, cell = owner[upper], cell[upper]
    vectors = torch.from_numpy(lattice.vectors.copy()).to(cell.device)
    vectors = vectors[0] if graph is None else vectors[graph[owner]]
    return Images(points.pos[owner] + _times(cell.double(), vectors), owner, cell)


def _is_upper(cell: Tensor) -> Tensor:
    """Whether the first integer of a row that is not zero is positive, or all are zero."""
    upper = cell[:, -1] >= 0
    for column in reversed(cell.T[:-1]):
        upper = (column > 0) | ((column == 0) & upper)
    return upper


def _per_node(arrays: tuple, pos: Tensor, graph: Tensor | None) -> list[Tensor]:
    """Arrays per graph as tensors per point, or of the first graph where there is one alone."""
    tensors = [torch.from_numpy(array.copy()).to(pos.device) for array in arrays]
    return [tensor[0] if graph is None else tensor[graph] for tensor in tensors]


def _times(rows: Tensor, matrices: Tensor) -> Tensor:
    """Rows (node, d) times one matrix (d, d), or one of each (node, d, d)."""
    return rows @ matrices if matrices.dim() == 2 else (rows[:, None] @ matrices)[:, 0]
