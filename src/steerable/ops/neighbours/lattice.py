"""The lattices of periodic structures: checked, completed to full rank, and measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

Periodic = Tensor | bool | Sequence[bool]

_FLAT = 1e-10  # volume relative to that of a box of equal edges, below which a cell is flat


class Lattices(NamedTuple):
    """The lattices of a batch, in float64.

    Directions without period have unit vectors normal to the periodic ones, whatever the vector of
    the cell was there. So wires and slabs are handled as crystals are.
    """

    vectors: np.ndarray
    """(graph, d, d), rows are the vectors."""
    periodic: np.ndarray
    """(graph, d), whether a direction is periodic."""
    inverse: np.ndarray
    """(graph, d, d): positions @ inverse are fractions of the vectors."""
    heights: np.ndarray
    """(graph, d), the spacing of the lattice planes that each vector crosses."""
    volumes: np.ndarray
    """(graph,), of one cell; the area of slabs and the length of wires."""


def lattices(cell: Tensor, pbc: Periodic, graphs: int, dim: int) -> Lattices:
    """The lattices of `graphs` structures.

    Args:
        cell: vectors (d, d), rows, or those of every graph (graph, d, d).
        pbc: which directions are periodic (d,), or (graph, d).
        graphs: number of graphs.
        dim: d.

    Raises:
        ValueError: shapes that do not fit, vectors that are not finite, or periodic vectors that
            are zero or depend on each other.
    """
    vectors = cell.detach().cpu().double().numpy()
    if vectors.shape not in ((dim, dim), (graphs, dim, dim)):
        raise ValueError(
            f"cell is ({dim}, {dim}), or ({graphs}, {dim}, {dim}) for {graphs} graphs; got "
            f"{tuple(cell.shape)}."
        )
    if not np.isfinite(vectors).all():
        raise ValueError("The vectors of cells must be finite; some are NaN or infinite.")
    periodic = torch.as_tensor(pbc).cpu().numpy().astype(bool)
    if periodic.shape not in ((), (dim,), (graphs, dim)):
        raise ValueError(
            f"pbc says of each of the {dim} directions whether it is periodic: ({dim},), or "
            f"({graphs}, {dim}) for {graphs} graphs; got {periodic.shape}."
        )
    vectors = np.broadcast_to(vectors, (graphs, dim, dim))
    periodic = np.broadcast_to(periodic, (graphs, dim))
    vectors = _completed(vectors, periodic)
    volumes = np.abs(np.linalg.det(vectors))
    _check_volumes(vectors, periodic, volumes)
    inverse = np.linalg.inv(vectors)
    heights = 1 / np.linalg.norm(inverse, axis=1)
    return Lattices(vectors, periodic, inverse, heights, volumes)


def _completed(vectors: np.ndarray, periodic: np.ndarray) -> np.ndarray:
    """Vectors (graph, d, d) with normals to the periodic ones in the other directions."""
    if periodic.all():
        return vectors
    # Of d rows, p of them not zero, the last d - p right singular vectors are normal to all.
    rows = np.where(periodic[:, :, None], vectors, 0.0)
    normals = np.linalg.svd(rows)[2]
    # The k-th direction without period takes the k-th normal from the end.
    rank = np.cumsum(~periodic, axis=1)
    normal = np.take_along_axis(normals, -np.maximum(rank, 1)[:, :, None] + vectors.shape[1], 1)
    return np.where(periodic[:, :, None], vectors, normal)


def _check_volumes(vectors: np.ndarray, periodic: np.ndarray, volumes: np.ndarray) -> None:
    flat = volumes <= _FLAT * np.linalg.norm(vectors, axis=2).prod(1)
    if not flat.any():
        return
    graph = int(flat.nonzero()[0][0])
    raise ValueError(
        "Periodic directions need vectors that are not zero and do not depend on each other; in "
        f"graph {graph} the cell is {vectors[graph].tolist()} with pbc "
        f"{periodic[graph].tolist()}. Give a cell of some volume, or pbc False in the directions "
        "that have no period."
    )
