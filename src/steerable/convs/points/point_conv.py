"""Convolution on points and graphs with any filter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch_geometric.nn import MessagePassing

from ...field import Field, require_same_group
from ...filters import Filter, SeparableFilter
from ...layers import Contraction, Depthwise, Full, Linear
from ...ops import Neighbourhoods, blockwise, segment_max
from .attention import Attention
from .compiled import compiled_sum, register
from .cost import ENGINES, Plan, plan, works
from .engines import Engine
from .graph import Graph, Nodes, check_graph
from .neighbour_sum import NeighbourSum

Pair = Tensor | tuple[Tensor, Tensor | None]

_MANY_EDGES = 16_384  # more are summed again in the backward pass
_VERY_MANY_EDGES = 65_536  # for more, implicit filters are evaluated again too

AGGREGATIONS = ("sum", "mean", "max", "attention")
CONTRACTIONS: dict[str, Callable[..., Contraction]] = {"full": Full, "depthwise": Depthwise}


class PointConv(MessagePassing):
    """y_i = n^(-1/2) sum over neighbours j of K(x_ij, a_ij) f_j, without ever forming K.

    Here x_ij = pos_j - pos_i.

    The filter gives h_ij, and K = W h with the weights W of a contraction, which do not depend on
    the edge: the same function is computed in the order (`engine`) that costs least, over blocks of
    nodes sized to the cache.

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
    """

    neighbours: Tensor

    def __init__(
        self,
        field_in: Field | str,
        field_out: Field | str,
        filter: Filter,
        contraction: str | Callable[..., Contraction] = "full",
        aggregation: str = "sum",
        self_interaction: bool = False,
        neighbours: float | None = None,
        engine: str = "auto",
        recompute: bool | None = None,
    ) -> None:
        super().__init__(aggr="add")
        group = filter.field.group  # of fields given as text
        self.field_in, self.field_out = (
            given if isinstance(given, Field) else Field.parse(given, group)
            for given in (field_in, field_out)
        )
        require_same_group("PointConv", self.field_in, self.field_out, filter.field)
        _check_choice("aggregation", aggregation, AGGREGATIONS)
        if isinstance(contraction, str):
            _check_choice("contraction", contraction, CONTRACTIONS)
            contraction = CONTRACTIONS[contraction]
        self.filter, self.aggregation = filter, aggregation
        self.contraction = contraction(filter.field, filter.channels, self.field_in, self.field_out)
        self.self_interaction = Linear(self.field_in, self.field_out) if self_interaction else None
        self.attention = Attention(self.field_in) if aggregation == "attention" else None
        if aggregation == "max" and not self.field_out.is_invariant:
            raise ValueError(
                f"A maximum is defined for invariants; got {self.field_out}. Use sum, mean or "
                "attention."
            )
        self._works = works(filter, self.contraction)
        if engine != "auto":
            _check_choice("engine", engine, self._works)
        self.engine, self.recompute = engine, recompute
        self._layer = register(self)
        self._separable = isinstance(filter, SeparableFilter)
        # What is compiled must not depend on the graph: the order that suits 16 neighbours.
        self._usual: Engine = plan(self._works, 1, 16).chosen
        self._measured = neighbours is not None
        number = torch.tensor(1.0 if neighbours is None else float(neighbours))
        self.register_buffer("neighbours", number, persistent=neighbours is None)

    def forward(
        self,
        x: Pair,
        pos: Tensor | tuple[Tensor, Tensor],
        edge_index: Tensor | Neighbourhoods,
        edge_attr: Tensor | None = None,
        node_attr: Pair | None = None,
    ) -> Tensor:
        """Convolve.

        Args:
            x: features (node, field_in.dim), or those of sources and targets as a pair.
            pos: positions (node, d), or those of sources and targets.
            edge_index: (2, edge), row 0 the source j, row 1 the target i; or `ops.neighbourhoods`
                of it, made once.
            edge_attr: attributes of edges (edge, ...).
            node_attr: attributes of nodes (node, ...), or those of sources and targets; the filter
                sees those of both ends after the edge's.

        Returns:
            (target, field_out.dim); targets without neighbours get 0, and their own Linear where
            there is one.
        """
        graph = check_graph(self.field_in, self.filter, x, pos, edge_index, edge_attr, node_attr)
        y = self._aggregate(graph)
        if not self._measured:
            self._measure(graph, y)
        y = y * torch.rsqrt(self.neighbours)
        if self.self_interaction is not None:
            y = y + self.self_interaction(graph.own_features)
        return y

    @property
    def explain(self) -> Any:
        """`conv.explain(...)`, called like the convolution.

        The table of orders, their cost, and the choice.

        PyTorch Geometric's explainers set this name to turn their edge masks on and off.
        """
        return self._explanation

    @explain.setter
    def explain(self, value: bool | None) -> None:
        self._explain = value

    def _explanation(
        self, x: Pair, pos: Any, edge_index: Any, edge_attr: Any = None, node_attr: Any = None
    ) -> Plan:
        return self._plan(
            check_graph(self.field_in, self.filter, x, pos, edge_index, edge_attr, node_attr)
        )

    def _plan(self, graph: Graph) -> Plan:
        return plan(self._works, graph.size, graph.edge_index.shape[1], self.engine)

    def _aggregate(self, graph: Graph) -> Tensor:
        weight = self._edge_weight(graph)
        target = graph.edge_index[1]
        if self.aggregation == "max":
            return segment_max(self._sum(_one_edge_each(graph), weight), target, graph.size)
        y = self._sum(graph, weight)
        if self.aggregation == "mean":
            degree = y.new_zeros(graph.size).index_add(0, target, y.new_ones(len(target)))
            return y / degree.clamp(min=1).unsqueeze(1)
        return y

    def _sum(self, graph: Graph, weight: Tensor | None) -> Tensor:
        """The weighted sum over neighbours."""
        compiling = torch.compiler.is_compiling()
        if self.engine != "auto":
            chosen = ENGINES[self.engine]
        else:
            chosen = self._usual if compiling else self._plan(graph).chosen
        edges = graph.edge_index.shape[1]
        recompute = (
            (edges > _MANY_EDGES or chosen.name == "radial")
            if self.recompute is None
            else self.recompute
        )
        inside = (
            edges > _VERY_MANY_EDGES if self.recompute is None else self.recompute
        ) and not self._separable
        attributes = graph.edge_attr is not None, graph.source.attr is not None
        kernel = NeighbourSum(self.filter, self.contraction, chosen, inside, attributes)
        features = chosen.prepare(self.contraction, self.contraction.before(graph.features))
        inputs = kernel.inputs(graph, features, weight)
        if compiling:
            return compiled_sum(kernel, inputs, graph.edge_index, graph.size, self._layer)
        try:
            return blockwise(kernel, graph.neighbourhoods(), inputs, recompute)
        except RuntimeError as error:
            if isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error):
                raise MemoryError(self._plan(graph).advice(recompute)) from error
            raise

    def _edge_weight(self, graph: Graph) -> Tensor | None:
        """Weights of edges: those of attention, and the mask that an explainer has set."""
        weight = None
        if self.attention is not None:
            weight = self.attention(graph.features, graph.own_features, graph.edge_index)
        if self._explain and self._edge_mask is not None:
            mask = self._edge_mask.sigmoid() if self._apply_sigmoid else self._edge_mask
            weight = mask if weight is None else weight * mask
        return weight

    @torch.no_grad()
    def _measure(self, graph: Graph, y: Tensor) -> None:
        """Set `neighbours` to the mean square of the sum over neighbours.

        It is taken per mean square of the features.
        """
        target = graph.edge_index[1]
        if not len(target):
            return
        reached = y.new_zeros(len(y), 1).index_fill(0, target, 1.0)
        found = (y.square() * reached).sum() / (reached.sum() * y.shape[1])
        power = found / graph.features.square().mean()
        self.neighbours.copy_(
            torch.where(power > 0, power, self.neighbours)
        )  # NaN where all features are 0
        self._measured = True

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._layer = register(self)  # a copy is another layer

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        super()._load_from_state_dict(state_dict, prefix, *args)
        self._measured = self._measured or f"{prefix}neighbours" in state_dict


def _one_edge_each(graph: Graph) -> Graph:
    """The graph in which every edge has a target of its own."""
    target = graph.edge_index[1]
    attr = None if graph.target.attr is None else graph.target.attr.index_select(0, target)
    ends = Nodes(None, graph.target.pos.index_select(0, target), attr)
    edges = torch.stack([graph.edge_index[0], torch.arange(len(target), device=target.device)])
    return Graph(graph.source, ends, edges, None, graph.edge_attr)


def _check_choice(name: str, value: object, choices: Any) -> None:
    if value not in choices:
        raise ValueError(f"{name} is one of {', '.join(choices)}; got {value!r}.")
