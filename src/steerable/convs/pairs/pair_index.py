"""All ordered pairs of nodes of the graphs of a batch.

The pairs of a batch have means over rows and columns, transposes and products.

Features of pairs are (pair, channel), graph after graph, row i after row, column j after column:
n^2 rows for a graph of n nodes and nothing padded. Where all graphs have equally many nodes that is
a view of (graph, n, n, channel).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from functools import cached_property

import torch
from torch import Tensor

from ...ops import segment_mean, segment_sum
from ..sets.ragged import check_sets, check_sorted


class Pairs(ABC):
    """What layers of second order ask of a batch of graphs.

    x are features of pairs, v of nodes, in a form of its own.

    Args:
        count: the number of pairs.
    """

    count: int

    def check(self, x: Tensor, owner: str) -> None:
        """Raise ValueError unless `x` has one row per pair."""
        if x.dim() != 2 or x.shape[0] != self.count:
            raise ValueError(
                f"{owner} needs features of {self.count} pairs, n^2 for every graph of n nodes: "
                f"({self.count}, channel); got {tuple(x.shape)}."
            )

    @abstractmethod
    def form(self, x: Tensor) -> Tensor:
        """Features (pair, channel) in the form that the other methods take and give."""

    @abstractmethod
    def ends(self) -> tuple[Tensor, Tensor]:
        """The nodes i and j of every pair (pair,), numbered over all graphs."""

    @abstractmethod
    def diagonal(self, x: Tensor) -> Tensor:
        """The v_i = x_ii."""

    @abstractmethod
    def row_mean(self, x: Tensor) -> Tensor:
        """The mean v_i of x_ij over j."""

    @abstractmethod
    def column_mean(self, x: Tensor) -> Tensor:
        """The mean v_j of x_ij over i."""

    @abstractmethod
    def transpose(self, x: Tensor) -> Tensor:
        """The x_ji."""

    @abstractmethod
    def product(self, a: Tensor, b: Tensor) -> Tensor:
        """The n^(-1/2) sum over k of a_ik b_kj, channel by channel."""

    @abstractmethod
    def graph_mean(self, v: Tensor) -> Tensor:
        """The mean of v over the nodes of every graph: (graph, channel)."""

    @abstractmethod
    def to_nodes(self, g: Tensor) -> Tensor:
        """Features of graphs (graph, channel) at each of their nodes.

        The shape may also be one that broadcasts to it.
        """

    @abstractmethod
    def add_(self, x: Tensor, rows: Tensor, columns: Tensor, diagonal: Tensor | None) -> Tensor:
        """The sum x_ij + rows_i + columns_j + [i = j] diagonal_i, written into x."""


class SquarePairs(Pairs):
    """Graphs of equally many nodes: x are (graph, n, n, channel), v (graph, n, channel).

    Args:
        graphs: how many.
        nodes: n, of every graph.
        device: where the numbers of nodes are made.
    """

    def __init__(self, graphs: int, nodes: int, device: torch.device | None = None) -> None:
        self.graphs, self.nodes, self.device = graphs, nodes, device
        self.count = graphs * nodes * nodes

    def form(self, x: Tensor) -> Tensor:
        return x.reshape(self.graphs, self.nodes, self.nodes, x.shape[1])

    def ends(self) -> tuple[Tensor, Tensor]:
        node = torch.arange(self.graphs * self.nodes, device=self.device).view(
            self.graphs, self.nodes, 1
        )
        row = node.expand(-1, -1, self.nodes)
        return row.flatten(), row.transpose(1, 2).flatten()

    def diagonal(self, x: Tensor) -> Tensor:
        return x.diagonal(dim1=1, dim2=2).transpose(1, 2)

    def row_mean(self, x: Tensor) -> Tensor:
        return x.sum(2) / max(self.nodes, 1)

    def column_mean(self, x: Tensor) -> Tensor:
        return x.sum(1) / max(self.nodes, 1)

    def transpose(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2)

    def product(self, a: Tensor, b: Tensor) -> Tensor:
        scaled = a.permute(0, 3, 1, 2) * max(self.nodes, 1) ** -0.5
        return (scaled @ b.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)

    def graph_mean(self, v: Tensor) -> Tensor:
        return v.sum(1) / max(self.nodes, 1)

    def to_nodes(self, g: Tensor) -> Tensor:
        return g.unsqueeze(1)

    def add_(self, x: Tensor, rows: Tensor, columns: Tensor, diagonal: Tensor | None) -> Tensor:
        x.add_(rows.unsqueeze(2)).add_(columns.unsqueeze(1))
        if diagonal is not None:
            x.diagonal(dim1=1, dim2=2).add_(diagonal.transpose(1, 2))
        return x


class RaggedPairs(Pairs):
    """Graphs of any number of nodes, none included: x are (pair, channel), v (node, channel).

    Args:
        batch: graph of every node (node,), sorted.
        size: number of graphs.
    """

    def __init__(self, batch: Tensor, size: int) -> None:
        self.batch = batch
        self.nodes = torch.bincount(batch, minlength=size)
        self.count = int((self.nodes * self.nodes).sum())
        first = (self.nodes.cumsum(0) - self.nodes).index_select(0, batch)
        self._length = self.nodes.index_select(0, batch)
        start = self._length.cumsum(0) - self._length
        node = torch.arange(batch.shape[0], device=batch.device)
        self.row = node.repeat_interleave(self._length, output_size=self.count)
        self.column = torch.arange(self.count, device=batch.device) + (first - start).index_select(
            0, self.row
        )
        self._diagonal = node - first + start
        self._transpose = self.row + (start - first).index_select(0, self.column)

    @cached_property
    def _by_size(self) -> tuple[list[SquarePairs], list[Tensor], Tensor]:
        """Graphs of equally many nodes, the pairs of each kind, and every pair's place there."""
        squares = self.nodes * self.nodes
        starts = squares.cumsum(0) - squares
        equal, places = [], []
        for n in self.nodes.unique().tolist():
            chosen = starts[self.nodes == n].unsqueeze(1)
            equal.append(SquarePairs(len(chosen), n))
            places.append((chosen + torch.arange(n * n, device=chosen.device)).flatten())
        return equal, places, torch.argsort(torch.cat(places))

    def form(self, x: Tensor) -> Tensor:
        return x

    def ends(self) -> tuple[Tensor, Tensor]:
        return self.row, self.column

    def diagonal(self, x: Tensor) -> Tensor:
        return x.index_select(0, self._diagonal)

    def row_mean(self, x: Tensor) -> Tensor:
        return segment_sum(x, self.row, self.batch.shape[0]) / self._length.unsqueeze(1)

    def column_mean(self, x: Tensor) -> Tensor:
        return segment_sum(x, self.column, self.batch.shape[0]) / self._length.unsqueeze(1)

    def transpose(self, x: Tensor) -> Tensor:
        return x.index_select(0, self._transpose)

    def product(self, a: Tensor, b: Tensor) -> Tensor:
        equal, places, order = self._by_size
        parts = []
        for graphs, place in zip(equal, places, strict=True):
            left = graphs.form(a.index_select(0, place))
            right = graphs.form(b.index_select(0, place))
            parts.append(graphs.product(left, right).flatten(0, 2))
        return torch.cat(parts).index_select(0, order)

    def graph_mean(self, v: Tensor) -> Tensor:
        return segment_mean(v, self.batch, self.nodes.shape[0])

    def to_nodes(self, g: Tensor) -> Tensor:
        return g.index_select(0, self.batch)

    def add_(self, x: Tensor, rows: Tensor, columns: Tensor, diagonal: Tensor | None) -> Tensor:
        x.add_(rows.index_select(0, self.row)).add_(columns.index_select(0, self.column))
        return x if diagonal is None else x.index_add_(0, self._diagonal, diagonal)


def pairs_of(batch: Tensor, size: int | None = None) -> Pairs:
    """The pairs of the graphs of a batch.

    Args:
        batch: graph of every node (node,), sorted. A graph without nodes has no pairs.
        size: number of graphs; by default the largest in `batch` plus one.

    Raises:
        ValueError: `batch` is not sorted or does not fit `size`.
    """
    batch, size = check_sets("A batch of pairs", batch, batch, size)
    check_sorted("A batch of pairs", batch)
    nodes = torch.bincount(batch, minlength=size)
    few, most = (int(end) for end in nodes.aminmax()) if size else (0, 0)
    return SquarePairs(size, few, batch.device) if few == most else RaggedPairs(batch, size)


def pack(x: Tensor, mask: Tensor) -> tuple[Tensor, Pairs]:
    """Features of pairs of padded graphs without the padding.

    Args:
        x: (graph, slot, slot, channel).
        mask: which slots hold a node (graph, slot).

    Returns:
        Features (pair, channel) and their pairs.

    Raises:
        ValueError: arrays that are not square, or a mask that does not fit.
    """
    check_square(x)
    if mask.dtype != torch.bool or mask.shape != x.shape[:2]:
        raise ValueError(
            f"A mask of nodes is bool {tuple(x.shape[:2])} for pairs {tuple(x.shape)}; got "
            f"{mask.dtype} {tuple(mask.shape)}."
        )
    return x.flatten(0, 2).index_select(0, _places(mask)), pairs_of(
        torch.nonzero(mask)[:, 0], mask.shape[0]
    )


def unpack(x: Tensor, mask: Tensor) -> Tensor:
    """The inverse of `pack`, with zeros in the padding.

    Features (pair, channel) to (graph, slot, slot, channel).
    """
    shape = *mask.shape, mask.shape[1], x.shape[1]
    return x.new_zeros(math.prod(shape[:3]), shape[3]).index_add_(0, _places(mask), x).view(shape)


def check_square(x: Tensor) -> None:
    """Raise ValueError unless `x` is (graph, n, n, channel)."""
    if x.dim() != 4 or x.shape[1] != x.shape[2]:
        raise ValueError(
            f"Features of pairs are square, (graph, n, n, channel); got {tuple(x.shape)}. Pad "
            "graphs with rows and columns, or give them one behind the other, (pair, channel), "
            "with `pairs_of` the graph of every node."
        )


def _places(mask: Tensor) -> Tensor:
    """Where the pairs of nodes lie in (graph, slot, slot), flattened (pair,)."""
    return torch.nonzero((mask.unsqueeze(1) & mask.unsqueeze(2)).flatten()).flatten()
