"""The graph that a convolution sees.

Features, positions and attributes of both ends, checked once at the door.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ...field import Field
from ...filters import Filter
from ...ops import Neighbourhoods, check_finite, neighbourhoods


@dataclass(frozen=True)
class Nodes:
    """One end of the edges.

    Args:
        x: features (node, channel); targets of a bipartite graph may have none.
        pos: positions (node, d).
        attr: attributes (node, ...) or None.
    """

    x: Tensor | None
    pos: Tensor
    attr: Tensor | None


@dataclass(frozen=True)
class Graph:
    """Sources, targets, and the edges between them.

    Args:
        source: where features come from.
        target: where results are.
        edge_index: (2, edge), row 0 the source, row 1 the target.
        hood: its neighbourhoods if the caller made them.
        edge_attr: attributes of the edges (edge, ...) or None.
    """

    source: Nodes
    target: Nodes
    edge_index: Tensor
    hood: Neighbourhoods | None
    edge_attr: Tensor | None

    @property
    def size(self) -> int:
        """The number of targets."""
        return len(self.target.pos)

    @property
    def features(self) -> Tensor:
        """The features of the sources."""
        assert self.source.x is not None
        return self.source.x

    @property
    def own_features(self) -> Tensor:
        """The features of the targets.

        Raises:
            ValueError: they have none.
        """
        if self.target.x is None:
            raise ValueError(
                "self_interaction and attention need features of the targets: pass x as a pair of "
                "both."
            )
        return self.target.x

    def neighbourhoods(self) -> Neighbourhoods:
        """The incoming edges of every target, in blocks."""
        return self.hood or neighbourhoods(self.edge_index, self.size)

    def geometry(self) -> tuple[Tensor, Tensor | None]:
        """Relative positions (edge, d) and attributes (edge, ...) of all edges."""
        source, target = self.edge_index
        offset = self.source.pos.index_select(0, source) - self.target.pos.index_select(0, target)
        seen = [] if self.edge_attr is None else [self.edge_attr]
        if self.source.attr is not None and self.target.attr is not None:
            seen += [
                self.source.attr.index_select(0, source),
                self.target.attr.index_select(0, target),
            ]
        return offset, torch.cat(seen, -1) if seen else None


def check_graph(
    field: Field,
    filter: Filter,
    x: Any,
    pos: Any,
    edge_index: Any,
    edge_attr: Any = None,
    node_attr: Any = None,
) -> Graph:
    """The arguments of a convolution as a Graph.

    Raises:
        FieldMismatchError: features that do not fit `field`.
        ValueError: positions, edges or attributes that do not fit each other or the filter.
    """
    (source_x, target_x), (source_pos, target_pos), (source_attr, target_attr) = (
        _pair(x),
        _pair(pos),
        _pair(node_attr),
    )
    for features, points in ((source_x, source_pos), (target_x, target_pos)):
        if features is not None:
            field.check(features, "PointConv")
        check_positions(points, features, filter.field.group.dim)
    hood = edge_index if isinstance(edge_index, Neighbourhoods) else None
    if hood is None:
        check_edge_index(edge_index, len(source_pos), len(target_pos))
    elif hood.size != len(target_pos):
        raise ValueError(
            f"These neighbourhoods are of {hood.size} nodes; there are {len(target_pos)} targets."
        )
    edges = edge_index if hood is None else hood.edge_index
    _check_attributes(filter, edge_attr, source_attr, edges.shape[1])
    return Graph(
        Nodes(source_x, source_pos, source_attr),
        Nodes(target_x, target_pos, target_attr),
        edges,
        hood,
        edge_attr,
    )


def _pair(given: Any) -> tuple[Any, Any]:
    return tuple(given) if isinstance(given, (tuple, list)) else (given, given)


def check_positions(pos: Tensor, features: Tensor | None, dim: int) -> None:
    """Raise ValueError unless positions are finite (node, dim), one per row of the features."""
    if pos.dim() != 2 or pos.shape[1] != dim:
        raise ValueError(
            f"The group acts on positions of {dim} coordinates (node, {dim}); got "
            f"{tuple(pos.shape)}."
        )
    if features is not None and len(pos) != len(features):
        raise ValueError(
            f"PointConv needs one position per node: {len(features)} rows of features, {len(pos)} "
            "of positions."
        )
    if not torch.compiler.is_compiling():
        check_finite(pos)


def check_edge_index(edge_index: Tensor, sources: int, targets: int) -> None:
    """Raise ValueError unless edges (2, edge) join numbers of sources and targets."""
    if edge_index.dtype != torch.long or edge_index.dim() != 2 or len(edge_index) != 2:
        raise ValueError(
            "edge_index is a torch.long tensor (2, edge), row 0 the source, row 1 the target; got "
            f"{edge_index.dtype} {tuple(edge_index.shape)}."
        )
    if torch.compiler.is_compiling() or not edge_index.numel():
        return
    for row, nodes, name in (
        (edge_index[0], sources, "source"),
        (edge_index[1], targets, "target"),
    ):
        low, high = int(row.min()), int(row.max())
        if not 0 <= low <= high < nodes:
            raise ValueError(
                f"edge_index holds {name} node numbers from 0 to {nodes - 1}; got {low} to {high}."
            )


def _check_attributes(
    filter: Filter, edge_attr: Tensor | None, node_attr: Tensor | None, edges: int
) -> None:
    if edge_attr is not None and len(edge_attr) != edges:
        raise ValueError(f"edge_attr has one row per edge ({edges}); got {len(edge_attr)}.")
    width = 0 if edge_attr is None else edge_attr.shape[-1]
    width += 0 if node_attr is None else 2 * node_attr.shape[-1]
    if width != filter.attributes.dim:
        raise ValueError(
            f"The filter expects attributes of {filter.attributes or 'no field'} "
            f"({filter.attributes.dim} numbers per edge: the edge's, the source's, the target's); "
            f"edge_attr and twice node_attr make {width}."
        )
