"""What a convolution sees: features and attributes of both ends of edges, checked at the door."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ...field import Field, check_floating
from ...filters import Filter
from ...ops import Edges


@dataclass(frozen=True)
class Graph:
    """Features, attributes, and the edges between them.

    Args:
        edges: the edges.
        x: features of the sources (source, channel).
        target_x: those of the targets (target, channel), or None.
        edge_attr: attributes of the edges (edge, ...), or None.
        source_attr: attributes of the sources (source, ...), or None.
        target_attr: attributes of the targets (target, ...), or None.
        weight: a factor for every edge (edge,), or None.
    """

    edges: Edges
    x: Tensor
    target_x: Tensor | None
    edge_attr: Tensor | None = None
    source_attr: Tensor | None = None
    target_attr: Tensor | None = None
    weight: Tensor | None = None

    @property
    def target_features(self) -> Tensor:
        """The features of the targets.

        Raises:
            ValueError: they have none, or others than the edges lead to.
        """
        if self.target_x is None:
            raise ValueError(
                "self_interaction and attention need features of the targets: pass x as a pair of "
                "both."
            )
        if self.target_x.shape[0] != self.edges.size:
            raise ValueError(
                f"These edges lead to {self.edges.size} nodes; got {self.target_x.shape[0]} rows "
                "of their features. Pass x as a pair of those of sources and targets."
            )
        return self.target_x

    def attributes(self) -> Tensor | None:
        """The attributes that the filter sees at every edge: the edge's, source's and target's."""
        parts = [] if self.edge_attr is None else [self.edge_attr]
        if self.source_attr is not None and self.target_attr is not None:
            source, target = self.edges.index
            parts.append(self.source_attr.index_select(0, source))
            parts.append(self.target_attr.index_select(0, target))
        if len(parts) == 1:
            return parts[0]
        return torch.cat(parts, -1) if parts else None

    def weighted(self, weight: Tensor | None) -> Graph:
        """The same graph with a factor for every edge."""
        return self if weight is None else replace(self, weight=weight)

    def part(self, start: int, stop: int) -> Graph:
        """The targets `start` to `stop` with their edges, and all sources."""
        rows, edges = self.edges.hood.rows, self.edges
        first, last = int(rows.first[start]), int(rows.first[stop])

        def take(values: Tensor) -> Tensor:
            if rows.order is None:  # the edges of these targets lie together
                return values[first:last]
            return values.index_select(0, rows.order[first:last])

        index = torch.stack([rows.source[first:last], take(edges.index[1]) - start])
        return Graph(
            Edges(index, take(edges.offset), stop - start),
            self.x,
            None,
            None if self.edge_attr is None else take(self.edge_attr),
            self.source_attr,
            None if self.target_attr is None else self.target_attr[start:stop],
            None if self.weight is None else take(self.weight),
        )

    def one_edge_each(self) -> Graph:
        """The graph in which every edge has a target of its own."""
        source, target = self.edges.index
        index = torch.stack([source, torch.arange(target.shape[0], device=target.device)])
        attr = None if self.target_attr is None else self.target_attr.index_select(0, target)
        edges = Edges(index, self.edges.offset, target.shape[0])
        return Graph(edges, self.x, None, self.edge_attr, self.source_attr, attr, self.weight)


def check_graph(
    field: Field,
    filter: Filter,
    edges: Edges,
    x: Any,
    edge_attr: Tensor | None = None,
    node_attr: Any = None,
) -> Graph:
    """The arguments of a convolution as a Graph.

    Raises:
        FieldMismatchError: features that do not fit `field`.
        ValueError: features of another precision than the edges, which have that of the layer, or
            edges or attributes that do not fit each other or the filter.
    """
    (source_x, target_x), (source_attr, target_attr) = pair(x), pair(node_attr)
    for features in (source_x, target_x):
        if features is not None:
            field.check(features, "PointConv")
            _check_precision(features, edges.offset.dtype)
    if edges.offset.dim() != 2 or edges.offset.shape[1] != filter.field.group.dim:
        dim = filter.field.group.dim
        raise ValueError(
            f"The group acts on positions of {dim} coordinates (node, {dim}); got relative "
            f"positions {tuple(edges.offset.shape)}."
        )
    if edges.sources is not None and source_x.shape[0] != edges.sources:
        raise ValueError(
            f"These edges come from {edges.sources} nodes; got {source_x.shape[0]} rows of "
            "features."
        )
    _check_attributes(filter, edge_attr, (source_attr, target_attr), edges, source_x.shape[0])
    return Graph(edges, source_x, target_x, edge_attr, source_attr, target_attr)


def edges_of(
    x: Any,
    pos: Any,
    edge_index: Any,
    dim: int,
    shift: Tensor | None = None,
    cell: Tensor | None = None,
    batch: Tensor | None = None,
) -> Edges:
    """The edges of features `x`, or of none, at positions in `dim` dimensions.

    `pos` may be Edges that were computed before. Other arguments as in `PointConv.forward`.

    Raises:
        ValueError: positions that do not fit features or group, or edges that do not fit them.
    """
    if isinstance(pos, Edges):
        if edge_index is not None or shift is not None:
            raise ValueError(
                "Edges hold their index and shifts: leave edge_index, shift and cell out."
            )
        return pos
    if edge_index is None:
        raise ValueError("PointConv needs the edges: pass edge_index (2, edge) after pos.")
    for features, points in zip(pair(x), pair(pos), strict=True):
        check_positions(points, features, dim)
    return Edges.between(pos, edge_index, shift, cell, batch)


def pair(value: Any) -> tuple[Any, Any]:
    """What belongs to sources and to targets, where one thing may stand for both."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)


def check_positions(pos: Tensor, features: Tensor | None, dim: int) -> None:
    """Raise ValueError unless positions are (node, dim), one per row of the features."""
    if pos.dim() != 2 or pos.shape[1] != dim:
        raise ValueError(
            f"The group acts on positions of {dim} coordinates (node, {dim}); got "
            f"{tuple(pos.shape)}."
        )
    if features is not None and features.dim() != 2:
        raise ValueError(
            f"Features have a row per node (node, channel); got {tuple(features.shape)}."
        )
    if features is not None and pos.shape[0] != features.shape[0]:
        raise ValueError(
            f"PointConv needs one position per node: {features.shape[0]} rows of features, "
            f"{pos.shape[0]} of positions."
        )


def _check_precision(values: Tensor, dtype: torch.dtype, name: str = "features") -> None:
    if values.dtype != dtype:
        raise ValueError(
            f"PointConv computes in the precision of its weights, {dtype}; got {name} of "
            f"{values.dtype}. Convert one of them: x.to({dtype}), or conv.to({values.dtype})."
        )


def _check_attributes(
    filter: Filter,
    edge_attr: Tensor | None,
    node_attr: tuple[Tensor | None, Tensor | None],
    edges: Edges,
    sources: int,
) -> None:
    if edge_attr is not None and edge_attr.shape[0] != edges.count:
        raise ValueError(
            f"edge_attr has one row per edge ({edges.count}); got {edge_attr.shape[0]}."
        )
    width = 0
    if edge_attr is not None:
        check_floating(edge_attr, "PointConv", "edge_attr")
        _check_precision(edge_attr, edges.offset.dtype, "edge_attr")
        width = edge_attr.shape[-1]
    rows = (sources, edges.size)
    for attributes, count, name in zip(node_attr, rows, ("source", "target"), strict=True):
        if attributes is None:
            continue
        if attributes.shape[0] != count:
            raise ValueError(
                f"node_attr has one row per {name} ({count}); got {attributes.shape[0]}."
            )
        check_floating(attributes, "PointConv", "node_attr")
        _check_precision(attributes, edges.offset.dtype, "node_attr")
        width += attributes.shape[-1]
    if width != filter.attributes.dim:
        raise ValueError(
            f"The filter expects attributes of {filter.attributes or 'no field'} "
            f"({filter.attributes.dim} numbers per edge: the edge's, the source's, the target's); "
            f"edge_attr and twice node_attr make {width} (edge_attr is {_shape(edge_attr)}, "
            f"node_attr {_shape(node_attr[0])})."
        )


def _shape(attributes: Tensor | None) -> str:
    return "None" if attributes is None else str(tuple(attributes.shape))
