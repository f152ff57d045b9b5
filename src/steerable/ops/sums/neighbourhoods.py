"""The incoming edges of every node, in blocks of nodes of about equal degree or in rows."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from .native import native

BLOCK_EDGES = 4096

_SOURCE = Path(__file__).with_name("rows.c")


@dataclass(frozen=True)
class Block:
    """Nodes of about equal degree with their incoming edges, as dense as they come.

    Args:
        nodes: targets (node,).
        edges: numbers of their edges (node, slot); unused slots hold some edge and are masked.
        mask: which slots are used (node, slot); None if all are.
    """

    nodes: Tensor
    edges: Tensor
    mask: Tensor | None

    @property
    def slots(self) -> tuple[int, int]:
        """The number of nodes and of slots of each."""
        return self.edges.shape[0], self.edges.shape[1]

    def flat_mask(self, dtype: torch.dtype) -> Tensor | None:
        """The mask as numbers (node * slot, 1)."""
        return None if self.mask is None else self.mask.reshape(-1, 1).to(dtype)


class Rows(NamedTuple):
    """Edges in the order of their targets.

    Args:
        order: the numbers of the edges (edge,); None where they are in that order already.
        first: where the edges of every target begin, and their number (target + 1,).
        source: their sources (edge,).
        span: the lowest and the highest of them; (0, -1) without edges.
    """

    order: Tensor | None
    first: Tensor
    source: Tensor
    span: tuple[int, int]

    def check_sources(self, count: int) -> None:
        """Raise IndexError unless there are all sources: loops read plain memory."""
        low, high = self.span
        if low < 0 or high >= count:
            raise IndexError(f"Sources are numbers from 0 to {count - 1}; got {low} to {high}.")

    def sort(self, values: Tensor) -> Tensor:
        """Values of the edges (edge, ...) in this order."""
        return values.contiguous() if self.order is None else values.index_select(0, self.order)

    def unsort(self, values: Tensor) -> Tensor:
        """Values in this order as those of the edges."""
        if self.order is None:
            return values
        return torch.empty_like(values).index_copy_(0, self.order, values)


@dataclass(frozen=True)
class Neighbourhoods:
    """The incoming edges of every target, in blocks sized to the cache or in rows.

    Each is made when it is asked for.

    Args:
        edge_index: (2, edge), row 0 the source, row 1 the target.
        size: the number of targets.
        degree: how many edges a target has (target,).
        block_edges: slots a block has at most, unless one node has more.
    """

    edge_index: Tensor
    size: int
    degree: Tensor
    block_edges: int = BLOCK_EDGES

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Neighbourhoods:
        """The same on another device, as of tensors; blocks and rows are computed there again."""
        move = partial(torch.Tensor.to, device=device, non_blocking=non_blocking)
        return replace(self, edge_index=move(self.edge_index), degree=move(self.degree))

    def pin_memory(self) -> Neighbourhoods:
        """The same in page-locked memory, as of tensors: a loader with `pin_memory` calls it."""
        index, degree = self.edge_index.pin_memory(), self.degree.pin_memory()
        return replace(self, edge_index=index, degree=degree)

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Blocks of targets of about equal degree.

        They hold every target that has an edge exactly once.
        """
        target, degree = self.edge_index[1], self.degree
        by_target = torch.argsort(target, stable=True)
        first = torch.cumsum(degree, 0) - degree
        by_degree = torch.argsort(degree, stable=True)
        degrees = degree[by_degree].tolist()
        blocks = []
        start = next((k for k, d in enumerate(degrees) if d), self.size)
        while start < self.size:
            stop = _block_end(degrees, start, self.block_edges)
            nodes = by_degree[start:stop]
            slot = torch.arange(degrees[stop - 1], device=target.device)
            mask = slot < degree[nodes, None]
            edges = by_target[(first[nodes, None] + slot).clamp(max=len(target) - 1)]
            blocks.append(
                Block(nodes, edges, None if degrees[start] == degrees[stop - 1] else mask)
            )
            start = stop
        return tuple(blocks)

    @cached_property
    def rows(self) -> Rows:
        """The edges in the order of their targets."""
        counted = None if self.edge_index.device.type != "cpu" else _counted(self)
        return _sorted(self) if counted is None else counted

    @cached_property
    def nodes(self) -> Tensor:
        """The targets of all blocks, one behind the other."""
        return torch.cat([block.nodes for block in self.blocks] or [self.edge_index[1]])

    @cached_property
    def edges(self) -> Tensor:
        """The edges in all slots of all blocks, one behind the other."""
        return torch.cat([block.edges.reshape(-1) for block in self.blocks] or [self.edge_index[1]])

    @cached_property
    def sources(self) -> Tensor:
        """The sources of `edges`."""
        return self.edge_index[0].index_select(0, self.edges)


def _sorted(hood: Neighbourhoods) -> Rows:
    """The rows by operations of PyTorch."""
    source, target = hood.edge_index.long()
    order = None if bool((target[1:] >= target[:-1]).all()) else torch.argsort(target, stable=True)
    first = hood.degree.new_zeros(hood.size + 1)
    torch.cumsum(hood.degree, 0, out=first[1:])
    span = (0, -1)
    if source.shape[0]:
        low, high = source.aminmax()
        span = int(low), int(high)
    ordered = source if order is None else source.index_select(0, order)
    return Rows(order, first, ordered.contiguous(), span)


def _counted(hood: Neighbourhoods) -> Rows | None:
    """The rows by the loops of rows.c; None where there are none."""
    library = native(_SOURCE, torch.float32)  # it holds no such numbers
    if library is None:
        return None
    index = hood.edge_index.long().contiguous()
    edges = index.shape[1]
    room = index.new_empty(hood.size + 3 + 2 * edges)
    span, first, order, ordered = room.split([2, hood.size + 1, edges, edges])
    step, start = index.element_size(), index.data_ptr()
    function = library.rows
    if function.argtypes is None:
        function.argtypes = [ctypes.c_int64] * 2 + [ctypes.c_void_p] * 6
    results = [part.data_ptr() for part in (first, order, ordered, span)]
    state = function(edges, hood.size, start, start + step * edges, *results)
    if state < 0:
        return None
    low, high = span.tolist()
    return (
        Rows(None, first, index[0], (low, high))
        if state
        else Rows(order, first, ordered, (low, high))
    )


def neighbourhoods(edge_index: Tensor, size: int, block_edges: int = BLOCK_EDGES) -> Neighbourhoods:
    """The incoming edges of every target, in blocks of about `block_edges` slots or in rows.

    Args:
        edge_index: (2, edge), row 0 the source, row 1 the target, in any order.
        size: the number of targets.
        block_edges: slots a block has at most, unless one node has more.

    Raises:
        ValueError: a target that is not below `size`.
    """
    edge_index = as_index(edge_index)
    target = edge_index[1]
    degree = torch.bincount(target, minlength=size)
    if len(degree) > size:
        raise ValueError(
            f"Targets are numbers from 0 to {size - 1}; got {int(target.max())}. Pass the number "
            "of nodes."
        )
    return Neighbourhoods(edge_index, size, degree, block_edges)


def as_index(edge_index: Tensor) -> Tensor:
    """`edge_index` as a plain tensor: PyG's EdgeIndex has no memory that loops could read."""
    if isinstance(edge_index, Tensor) and type(edge_index) is not Tensor:
        as_tensor = getattr(edge_index, "as_tensor", None)
        if as_tensor is not None:
            plain: Tensor = as_tensor()
            return plain
    return edge_index


def _block_end(degrees: list[int], start: int, block_edges: int) -> int:
    """The end of the longest run from `start` whose padded slots fit into a block.

    Slots are padded to the highest degree of the run.
    """
    low, high = start + 1, len(degrees)
    while low < high:
        middle = (low + high + 1) // 2
        if (middle - start) * degrees[middle - 1] <= block_edges:
            low = middle
        else:
            high = middle - 1
    return low
