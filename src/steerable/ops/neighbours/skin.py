"""Neighbour lists that serve for many steps of a simulation."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ..clouds import check_points
from .cutoffs import check_cutoff
from .halves import is_within
from .lattice import Periodic, lattices
from .periodic import graphs_of, periodic_graph
from .search import radius_graph

_ROUNDING = 1e-9  # of the reach: lists are made anew a little before they need to be


class _List(NamedTuple):
    """A list with the skin, and what it was made for, in float64."""

    edge_index: Tensor
    shift: Tensor | None
    pos: Tensor
    batch: Tensor | None
    vectors: Tensor | None
    """(graph, d, d), completed in directions without period; None for open boundaries."""
    periodic: Tensor | None
    """(graph, d)"""

    @property
    def graph(self) -> Tensor | None:
        """The graph of every point, None where there is one alone."""
        alone = self.vectors is None or len(self.vectors) == 1
        return None if alone or self.batch is None else self.batch.long()

    def is_for(self, pos: Tensor, cell: Tensor | None, pbc: Periodic, batch: Tensor | None) -> bool:
        """Whether these are the structures of the list, wherever their points are now."""
        if (cell is None) != (self.vectors is None) or pos.shape != self.pos.shape:
            return False
        if pos.device != self.pos.device:
            return False
        if batch is None or self.batch is None:
            if batch is not self.batch:
                return False
        elif not torch.equal(batch, self.batch):
            return False
        if self.vectors is None or self.periodic is None:
            return True
        if cell is None or cell.shape not in (self.vectors.shape, self.vectors.shape[1:]):
            return False
        periodic = torch.as_tensor(pbc, device=pos.device)
        shapes = (), self.periodic.shape[1:], self.periodic.shape
        return periodic.shape in shapes and bool((periodic == self.periodic).all())

    def vectors_of(self, cell: Tensor | None) -> Tensor | None:
        """The vectors of a cell now (graph, d, d), completed as those of the list are."""
        if cell is None or self.vectors is None or self.periodic is None:
            return None
        return torch.where(self.periodic[:, :, None], cell, self.vectors)

    def growth(self, pos: Tensor, vectors: Tensor | None) -> tuple[float, float]:
        """|F^-1| and the largest displacement u, as `NeighbourSkin` defines them."""
        if self.vectors is None or vectors is None or torch.equal(vectors, self.vectors):
            return 1.0, _longest(pos - self.pos)
        strain = torch.linalg.solve_ex(self.vectors, vectors).result
        inverse = torch.linalg.solve_ex(vectors, self.vectors).result
        if self.graph is None:
            strained = self.pos @ strain[0]
        else:
            strained = (self.pos[:, None] @ strain[self.graph])[:, 0]
        if not bool(inverse.isfinite().all()):
            return float("inf"), float("inf")
        return float(torch.linalg.matrix_norm(inverse, 2).max()), _longest(pos - strained)


def _longest(rows: Tensor) -> float:
    return float(torch.linalg.vector_norm(rows, dim=1).max()) if len(rows) else 0.0


class NeighbourSkin:
    r"""Neighbour lists of a structure that moves, made anew only when it has moved too far.

    The list holds all pairs closer than cutoff + skin. With C = C_0 F the strain of the cells, and
    u the largest displacement of a point from x_0 F, it serves as long as

        |F^-1| (cutoff + 2 u) <= cutoff + skin,

    which for a fixed cell says that no point has moved by more than skin / 2.

    Args:
        cutoff: radius, in the unit of the positions.
        skin: by how much the list reaches beyond it.
        exact: return exactly the edges closer than the cutoff, those of `periodic_graph` or
            `radius_graph`; else all of the list, for models whose filters vanish at the cutoff.

    Example::

        neighbours = NeighbourSkin(5.0, 1.0)
        for _ in range(steps):
            edge_index, shift = neighbours(pos, cell, pbc)
    """

    def __init__(self, cutoff: float, skin: float, exact: bool = True) -> None:
        check_cutoff(cutoff, "NeighbourSkin")
        if not 0 <= skin < float("inf"):
            raise ValueError(
                f"NeighbourSkin needs a skin that is finite and not negative; got {skin}."
            )
        self.cutoff, self.skin, self.exact = cutoff, skin, exact
        self.builds = 0
        """How many lists have been made."""
        self._list: _List | None = None

    def __call__(
        self,
        pos: Tensor,
        cell: Tensor | None = None,
        pbc: Periodic = True,
        batch: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """The edges of points (node, d).

        Args:
            pos: points (node, d), in the same order from call to call.
            cell: as for `periodic_graph`; open boundaries if absent.
            pbc: as for `periodic_graph`.
            batch: graph of every point (node,); one graph if absent.

        Returns:
            edge_index (2, edge) and shift (edge, d), sorted as `periodic_graph` sorts them; the
            shift is None for open boundaries.

        Raises:
            ValueError: as `periodic_graph`.
        """
        check_points(pos, batch)
        points = pos.detach().double()
        cell = None if cell is None else cell.detach().to(points)
        edges = self._list
        if edges is None or not self._serves(edges, points, cell, pbc, batch):
            edges = self._list = self._build(points, cell, pbc, batch)
            self.builds += 1
        if not self.exact:
            return edges.edge_index, edges.shift
        source, target = edges.edge_index
        vectors = edges.vectors_of(cell)
        if vectors is not None:
            vectors = vectors[0] if edges.graph is None else vectors[edges.graph[target]]
        keep = is_within(points, source, target, edges.shift, vectors, self.cutoff)
        keep = torch.nonzero(keep).flatten()
        return edges.edge_index[:, keep], None if edges.shift is None else edges.shift[keep]

    def _build(
        self, points: Tensor, cell: Tensor | None, pbc: Periodic, batch: Tensor | None
    ) -> _List:
        """The list of these points, which are copied: they may move in place."""
        reach = self.cutoff + self.skin
        copies = points.clone(), None if batch is None else batch.clone()
        if cell is None:
            return _List(radius_graph(points, reach, batch), None, *copies, None, None)
        edges = periodic_graph(points, reach, cell, pbc, batch)
        _, graphs = graphs_of(cell, batch)
        lattice = lattices(cell, pbc, graphs, points.shape[1])
        vectors = torch.from_numpy(lattice.vectors.copy()).to(points)
        periodic = torch.from_numpy(lattice.periodic.copy()).to(points.device)
        return _List(*edges, *copies, vectors, periodic)

    def _serves(
        self,
        edges: _List,
        points: Tensor,
        cell: Tensor | None,
        pbc: Periodic,
        batch: Tensor | None,
    ) -> bool:
        """Whether the list has all edges of these points."""
        if not edges.is_for(points, cell, pbc, batch):
            return False
        inverse, moved = edges.growth(points, edges.vectors_of(cell))
        reach = (self.cutoff + self.skin) * (1 - _ROUNDING)
        return inverse * (self.cutoff + 2 * moved) <= reach
