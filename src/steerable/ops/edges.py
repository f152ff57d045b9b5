"""The edges of a graph in space: what is computed once and shared by the layers of a network."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import torch
from torch import Tensor

from ..tracing import is_traced, saving_hook
from .clouds import check_finite
from .sums import Neighbourhoods, as_index, neighbourhoods

Ends = Tensor | tuple[Tensor, Tensor]
Value = TypeVar("Value")

_INDEX_LIMIT = 2**31  # the C loops and Triton kernels count edges in 32 bits


class Edges:
    """x_ij = pos_j - pos_i + s_ij C of every edge j -> i, and whatever is computed from it.

    A network makes its edges once per forward pass with `Edges.between` and hands them to every
    layer. Functions of the relative positions, such as harmonics and radial functions, are computed
    when the first layer asks for them and kept for the others.

    Args:
        index: (2, edge), row 0 the source j, row 1 the target i.
        offset: x_ij (edge, d), in the unit of the positions.
        size: number of targets.
        hood: the neighbourhoods of `index`, if they are there already.
        sources: number of sources, where it is known; features are compared with it.

    Example::

        edges = Edges.between(pos, edge_index)
        x = first(x, edges)
        x = second(x, edges)
    """

    def __init__(
        self,
        index: Tensor,
        offset: Tensor,
        size: int,
        hood: Neighbourhoods | None = None,
        sources: int | None = None,
    ) -> None:
        self.index, self.offset, self.size, self.sources = index, offset, size, sources
        self._hood = hood
        self._shared: dict[Hashable, Any] = {}

    @classmethod
    def between(
        cls,
        pos: Ends,
        edge_index: Tensor | Neighbourhoods,
        shift: Tensor | None = None,
        cell: Tensor | None = None,
        batch: Tensor | None = None,
    ) -> Edges:
        """The edges between points.

        Args:
            pos: positions (node, d), or those of sources and of targets.
            edge_index: (2, edge), or `ops.neighbourhoods` of it, computed before.
            shift: s_ij (edge, d), how many cells the source is shifted by; for periodic systems.
            cell: C, rows are the vectors of the cell: (d, d), or (graph, d, d) with `batch`.
            batch: graph of every target (target,).

        Returns:
            The edges, with relative positions in the precision of `pos`.

        Raises:
            ValueError: positions that are not finite, edges between points that do not exist,
                shifts without a cell, or shapes that do not fit.
        """
        source_pos, target_pos = pos if isinstance(pos, (tuple, list)) else (pos, pos)
        hood = None if isinstance(edge_index, Tensor) else edge_index
        sources, targets = source_pos.shape[0], target_pos.shape[0]
        index = as_index(edge_index if isinstance(edge_index, Tensor) else edge_index.edge_index)
        if hood is None:
            check_edge_index(index, sources, targets)
        elif hood.size != targets:
            raise ValueError(
                f"These neighbourhoods are of {hood.size} nodes; there are {targets} targets."
            )
        elif not is_traced(index) and index.shape[1]:
            highest = int(index[0].max())  # `hood.rows` has it, but blocks need no rows
            if highest >= sources:
                raise ValueError(
                    f"These neighbourhoods have sources up to number {highest}; there are "
                    f"{sources} sources."
                )
        check_finite(source_pos)
        if target_pos is not source_pos:
            check_finite(target_pos)
        offset = source_pos.index_select(0, index[0]) - target_pos.index_select(0, index[1])
        if shift is not None or cell is not None:
            offset = offset + _translation(index, shift, cell, batch, offset, targets)
        return cls(index, offset, targets, hood, sources)

    @property
    def count(self) -> int:
        """The number of edges."""
        return self.index.shape[1]

    @property
    def hood(self) -> Neighbourhoods:
        """The incoming edges of every target, computed on first use."""
        if self._hood is None:
            self._hood = neighbourhoods(self.index, self.size)
        return self._hood

    def shared(self, key: Hashable, compute: Callable[[Tensor], Value]) -> Value:
        """`compute(offset)`, once for every key."""
        # A value without a graph of autograd does not serve where one is wanted.
        if torch.is_grad_enabled():
            mode = "grad"
        elif torch.compiler.is_compiling() or not torch.is_inference_mode_enabled():
            mode = "no_grad"
        else:
            mode = "inference"
        place = key, mode, saving_hook()
        if place not in self._shared:
            self._shared[place] = compute(self.offset)
        value: Value = self._shared[place]
        return value

    def to(self, target: torch.dtype | torch.device | str) -> Edges:
        """The same edges with relative positions in another precision, or on another device.

        Those of another precision are computed once, and share what is computed from them.
        """
        if not isinstance(target, torch.dtype):
            hood = None if self._hood is None else self._hood.to(target)
            return Edges(
                self.index.to(target), self.offset.to(target), self.size, hood, self.sources
            )
        if self.offset.dtype == target:
            return self

        def converted(offset: Tensor) -> Edges:
            return Edges(self.index, offset.to(target), self.size, self._hood, self.sources)

        return self.shared(target, converted)


def shared(offset: Tensor | Edges, key: Hashable, compute: Callable[[Tensor], Value]) -> Value:
    """`compute` of relative positions: once for `Edges`, anew for a plain tensor (edge, d)."""
    return offset.shared(key, compute) if isinstance(offset, Edges) else compute(offset)


def check_edge_index(edge_index: Tensor, sources: int, targets: int) -> None:
    """Raise ValueError unless edges (2, edge) join numbers of sources and targets."""
    if (
        edge_index.dtype != torch.long
        or edge_index.dim() != 2
        or edge_index.shape[0] != 2
        or edge_index.layout != torch.strided
    ):
        raise ValueError(
            "edge_index is a torch.long tensor (2, edge), row 0 the source, row 1 the target; got "
            f"{edge_index.dtype} {tuple(edge_index.shape)}."
        )
    if is_traced(edge_index) or not edge_index.numel():
        return
    if edge_index.shape[1] >= _INDEX_LIMIT:
        raise ValueError(
            f"A graph has fewer than 2^31 edges; got {edge_index.shape[1]:,}. Cut it into parts."
        )
    if sources == targets:  # one look at both rows, which is all where nothing is wrong
        low, high = edge_index.aminmax()
        if int(low) >= 0 and int(high) < sources:
            return
    for row, nodes, name in ((0, sources, "source"), (1, targets, "target")):
        low, high = edge_index[row].aminmax()
        smallest, largest = int(low), int(high)
        if not 0 <= smallest <= largest < nodes:
            raise ValueError(
                f"edge_index holds {name} node numbers from 0 to {nodes - 1}; got {smallest} to "
                f"{largest}."
            )


def _translation(
    index: Tensor,
    shift: Tensor | None,
    cell: Tensor | None,
    batch: Tensor | None,
    offset: Tensor,
    targets: int,
) -> Tensor:
    """s_ij C of every edge, (edge, d)."""
    dim = offset.shape[1]
    if shift is None or cell is None:
        raise ValueError("Shifts count cells: give both `shift` and `cell`, or neither.")
    if shift.shape != offset.shape:
        raise ValueError(
            f"shift has a row of {dim} numbers for each of the {offset.shape[0]} edges; got "
            f"{tuple(shift.shape)}."
        )
    if not is_traced(cell) and not bool(cell.isfinite().all()):
        raise ValueError("The vectors of cells must be finite; some are NaN or infinite.")
    shift = shift.to(offset.dtype)
    if cell.shape == (dim, dim):
        return shift @ cell.to(offset.dtype)
    if cell.dim() != 3 or cell.shape[1:] != (dim, dim) or batch is None:
        raise ValueError(
            f"cell is ({dim}, {dim}), or (graph, {dim}, {dim}) with `batch`, the graph of every "
            f"target; got {tuple(cell.shape)}{'' if batch is not None else ' without batch'}."
        )
    if not is_traced(batch):
        _check_batch(batch, targets, cell.shape[0])
    cells = cell.to(offset.dtype).index_select(0, batch.index_select(0, index[1]))
    return torch.einsum("ei,eij->ej", shift, cells)


def _check_batch(batch: Tensor, targets: int, cells: int) -> None:
    if batch.shape != (targets,):
        raise ValueError(
            f"batch is the graph of every target ({targets},); got {tuple(batch.shape)}."
        )
    low, high = batch.aminmax() if targets else (0, -1)
    if int(low) < 0 or int(high) >= cells:
        raise ValueError(
            f"batch holds numbers of cells from 0 to {cells - 1}; got {int(low)} to {int(high)}."
        )
