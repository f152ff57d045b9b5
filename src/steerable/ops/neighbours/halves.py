"""Pairs of points and images that are given once, and which of them are within the cutoff."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from .lattice import Lattices


class Halves(NamedTuple):
    """Pairs of points and images, each given once, from either end."""

    source: Tensor
    """(pair,)"""
    target: Tensor
    """(pair,)"""
    shift: Tensor
    """(pair, d), integers; of the positions as given."""
    distance: Tensor
    """(pair,), as the search rounded it."""

    def chosen(self, rows: Tensor) -> Halves:
        """Some of the pairs."""
        return Halves(*[column[rows] for column in self])


def is_within(
    points: Tensor,
    source: Tensor,
    target: Tensor,
    shift: Tensor | None,
    vectors: Tensor | None,
    cutoff: float,
) -> Tensor:
    """Whether x_j - x_i + s C is shorter than the cutoff, (pair,).

    The formula is the same for both ends of a pair up to its sign, so they agree to the last bit,
    and for no shift it is that of `radius_graph`.

    Args:
        points: (node, d) in float64.
        source: j, (pair,)
        target: i, (pair,)
        shift: s, (pair, d); None for open boundaries.
        vectors: C, (d, d), or of every pair (pair, d, d); None for open boundaries.
        cutoff: in the unit of the points.
    """
    reach = float(np.nextafter(cutoff, 0))
    offset = points[source] - points[target]
    if shift is not None and vectors is not None:
        for axis in range(shift.shape[1]):
            offset = offset + shift[:, axis, None] * vectors[..., axis, :]
    squares = torch.zeros_like(offset[:, 0])
    for column in offset.T:
        squares = squares + column * column
    return squares <= reach * reach


def within(
    halves: Halves,
    points: Tensor,
    graph: Tensor | None,
    lattice: Lattices,
    cutoff: float,
    slack: float,
) -> Halves:
    """Those pairs that are closer than the cutoff.

    Only distances within `slack` of it are computed again, by `is_within`.
    """
    keep = halves.distance < cutoff - slack
    close = torch.nonzero(~keep).flatten()
    if len(close):
        source, target, shift, _ = halves.chosen(close)
        vectors = torch.from_numpy(lattice.vectors.copy()).to(points.device)
        vectors = vectors[0] if graph is None else vectors[graph[target]]
        keep[close] = is_within(points, source, target, shift, vectors, cutoff)
    return halves.chosen(torch.nonzero(keep).flatten()) if len(close) else halves
