"""Convolution on points and graphs with any filter, as a layer of PyTorch Geometric."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from torch import Tensor
from torch_geometric.nn import MessagePassing

from ...field import Field
from ...filters import Filter
from ...layers import Contraction
from ...ops import Edges, Neighbourhoods
from .cost import Plan
from .graph import Graph, edges_of
from .neighbour_conv import AGGREGATIONS, CONTRACTIONS, Aggregation, NeighbourConv, Pair

__all__ = ["AGGREGATIONS", "CONTRACTIONS", "PointConv"]


class PointConv(NeighbourConv, MessagePassing):
    """y_i = n^(-1/2) sum over neighbours j of K(x_ij, a_ij) f_j, without ever forming K.

    The filter gives h_ij from x_ij = pos_j - pos_i, and K = W h with the weights W of a
    contraction, which do not depend on the edge: the same function is computed in the order
    (`engine`) that costs least, over blocks of nodes sized to the cache.

    Args:
        field_in: type of the features f.
        field_out: type of the result y.
        filter: a Filter, such as ImplicitFilter or HarmonicFilter.
        contraction: how the weights are built: `full` (every copy to every copy), `depthwise` (a
            radial weight per path and copy, then a linear map), or a part such as
            `functools.partial(Depthwise, rank=8)`.
        aggregation: `sum`; `mean` over the neighbours; `max` of the messages, for invariant results
            only; `attention`, weights that sum to 1, from features of both ends.
        self_interaction: add a Linear of the features of the target itself.
        neighbours: n, the usual number of neighbours; by default it is measured on the first graph,
            as the mean square of the sum for features of unit mean square, and kept in
            `state_dict`: y begins with unit variance.
        engine: `auto`, or the name of an order; `explain` shows what may be chosen.
        recompute: whether to compute blocks, filters included, again in the backward pass instead
            of keeping what it needs, which saves most of the memory; by default blocks where that
            is faster or the graph has many edges, and filters where it has very many.

    Raises:
        FieldMismatchError: fields of different groups, or features that do not fit.
        ValueError: a choice that does not exist or does not apply.

    Example::

        conv = PointConv("4x0e", "8x0e + 4x1o", HarmonicFilter(1, cutoff=2.0))
        y = conv(x, pos, edge_index)  # (node, 20)
    """

    def __init__(
        self,
        field_in: Field | str,
        field_out: Field | str,
        filter: Filter,
        contraction: str | Callable[..., Contraction] = "full",
        aggregation: Aggregation = "sum",
        self_interaction: bool = False,
        neighbours: float | None = None,
        engine: str = "auto",
        recompute: bool | None = None,
    ) -> None:
        super().__init__(
            field_in,
            field_out,
            filter,
            contraction,
            aggregation,
            self_interaction,
            neighbours,
            engine,
            recompute,
        )

    def forward(  # type: ignore[override]  # positions and an index in place of edges
        self,
        x: Pair,
        pos: Tensor | tuple[Tensor, Tensor] | Edges,
        edge_index: Tensor | Neighbourhoods | None = None,
        edge_attr: Tensor | None = None,
        node_attr: Pair | None = None,
        shift: Tensor | None = None,
        cell: Tensor | None = None,
        batch: Tensor | None = None,
    ) -> Tensor:
        """Convolve.

        Positions come before edges: call a HeteroConv of such layers by names, as in
        `net(x_dict, pos_dict=pos_dict, edge_index_dict=edge_index_dict)`.

        Args:
            x: features (node, field_in.dim), or those of sources and targets as a pair.
            pos: positions (node, d), or those of sources and targets; or `ops.Edges`, computed
                before and shared by several layers, without `edge_index`.
            edge_index: (2, edge), row 0 the source j, row 1 the target i; or `ops.neighbourhoods`
                of it, made once.
            edge_attr: attributes of edges (edge, ...).
            node_attr: attributes of nodes (node, ...), or those of sources and targets; the filter
                sees those of both ends after the edge's.
            shift: how many cells the source of every edge is shifted by (edge, d); for periodic
                systems.
            cell: rows are the vectors of the cell, (d, d) or (graph, d, d) with `batch`.
            batch: graph of every target (target,), where there are several cells.

        Returns:
            (target, field_out.dim); targets without neighbours get 0, and their own Linear where
            there is one.
        """
        edges = edges_of(x, pos, edge_index, self.filter.field.group.dim, shift, cell, batch)
        return super().forward(x, edges, edge_attr, node_attr)

    @property
    def explain(self) -> Any:
        """`conv.explain(...)`, called like the convolution, gives a table.

        It lists the orders, their cost, and the choice.

        PyTorch Geometric's explainers set this name to turn their edge masks on and off.
        """
        return self._explanation

    @explain.setter
    def explain(self, value: bool | None) -> None:
        self._explain = value

    def _explanation(
        self,
        x: Pair,
        pos: Any,
        edge_index: Any = None,
        edge_attr: Any = None,
        node_attr: Any = None,
    ) -> Plan:
        edges = edges_of(x, pos, edge_index, self.filter.field.group.dim)
        return self.plan(edges.size, edges.count)

    def _edge_weight(self, graph: Graph) -> Tensor | None:
        """Factors of edges: those of attention, and the mask that an explainer has set."""
        weight = super()._edge_weight(graph)
        mask: Any = self._edge_mask if self._explain else None
        if mask is None:
            return weight
        mask = mask.sigmoid() if self._apply_sigmoid else mask
        return mask if weight is None else weight * mask

    @property
    def flow(self) -> str:
        """Messages go from row 0 of `edge_index` to row 1; there is no other choice."""
        return "source_to_target"

    @flow.setter
    def flow(self, value: str) -> None:
        if value != self.flow:
            raise ValueError(
                f"PointConv sums from sources (row 0 of edge_index) to targets (row 1); got flow="
                f"{value!r}. Pass edge_index.flip(0) for the other direction."
            )


def _refuse_hook(conv: PointConv, hook: Callable[..., Any]) -> NoReturn:
    """Raise NotImplementedError: the hook would never be called."""
    raise NotImplementedError(
        "PointConv sums over neighbours without a message per edge: it calls neither propagate, "
        "message, aggregate nor edge_update, and no hook of these. Use register_forward_hook or "
        "register_forward_pre_hook, which see the inputs and the output of the layer."
    )


for _step in ("propagate", "message", "aggregate", "message_and_aggregate", "edge_update"):
    setattr(PointConv, f"register_{_step}_forward_pre_hook", _refuse_hook)
    setattr(PointConv, f"register_{_step}_forward_hook", _refuse_hook)
