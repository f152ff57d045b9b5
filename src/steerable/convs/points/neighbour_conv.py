"""Convolution over the edges of a graph, for networks that compute their edges once."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils.checkpoint import checkpoint

from ...field import Field, require_same_group
from ...filters import Filter, SeparableFilter, filter_details, filter_line
from ...groups import group_label
from ...layers import (
    Contraction,
    Depthwise,
    Full,
    Linear,
    Meaningful,
    MeasuredScale,
    constants_of,
    has_outliers,
    reset,
)
from ...ops import Edges, Inputs, blockwise, segment_max
from ...tracing import transforms_active
from .attention import Attention
from .cost import ENGINES, Plan, cheapest, plan, works
from .engines import Engine, Work
from .filter_values import separable_values
from .graph import Graph, check_graph
from .message_loops import has_loops
from .neighbour_sum import NeighbourSum
from .operation import neighbour_sum
from .plain import plain_sum

Pair = Tensor | tuple[Tensor, Tensor | None]

_FEW_EDGES = 16_384  # compiled, so many are summed by plain operations, which the compiler fuses
_FEW_PRODUCTS = 64  # of components; a compiler takes minutes for the operations of more
_MANY_EDGES = 16_384  # more are summed again in the backward pass
_FILTERED_AT_ONCE = 65_536  # edges that an implicit filter is evaluated on together
_SEPARABLE_AT_ONCE = 1_048_576  # the same for a separable filter, which keeps less

AGGREGATIONS = ("sum", "mean", "max", "attention")
CONTRACTIONS: dict[str, Callable[..., Contraction]] = {"full": Full, "depthwise": Depthwise}

Aggregation = Literal["sum", "mean", "max", "attention"]


class NeighbourConv(Meaningful, MeasuredScale):
    """y_i = n^(-1/2) sum over neighbours j of K(x_ij, a_ij) f_j, without ever forming K.

    What `PointConv` computes, from `ops.Edges` that the layers of a network share. It needs no
    PyTorch Geometric; the arguments are those of `PointConv`.
    """

    neighbours: Tensor

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
        super().__init__()
        if not isinstance(filter, Filter):
            raise TypeError(
                "filter has a field, channels and attributes, as HarmonicFilter and ImplicitFilter "
                f"do (docs/howto/filter.md); got {filter!r}."
            )
        group = filter.field.group  # of fields given as text
        self.field_in = field_in if isinstance(field_in, Field) else Field.parse(field_in, group)
        self.field_out = (
            field_out if isinstance(field_out, Field) else Field.parse(field_out, group)
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
        self._works = {loops: works(filter, self.contraction, loops) for loops in (False, True)}
        if engine != "auto":
            _check_choice("engine", engine, ["auto", *self._works[False]])
        self.engine, self.recompute = engine, recompute
        self._separable = isinstance(filter, SeparableFilter)
        products = sum(s.m_h * s.m_i * s.m_o for s in self.contraction.paths.sizes())
        self._is_simple = products <= _FEW_PRODUCTS
        # What is compiled must not depend on the graph: the order that suits 16 neighbours.
        self._usual = {loops: cheapest(work, 1, 16) for loops, work in self._works.items()}
        self.register_scale("neighbours", value=neighbours)

    def forward(
        self,
        x: Pair,
        edges: Edges,
        edge_attr: Tensor | None = None,
        node_attr: Pair | None = None,
    ) -> Tensor:
        """Convolve.

        Args:
            x: features (node, field_in.dim), or those of sources and targets as a pair.
            edges: the edges, `ops.Edges.between(pos, edge_index)`.
            edge_attr: attributes of edges (edge, ...).
            node_attr: attributes of nodes (node, ...), or those of sources and targets; the filter
                sees those of both ends after the edge's.

        Returns:
            (target, field_out.dim); targets without neighbours get 0, and their own Linear where
            there is one.
        """
        device = edges.offset.device.type
        if not torch.is_autocast_enabled(device):
            return self._convolve(x, edges, edge_attr, node_attr)
        # Sums over many neighbours lose too much in half precision: the convolution is computed in
        # the precision of its weights.
        with torch.autocast(device, enabled=False):
            dtype = self.neighbours.dtype
            return self._convolve(
                _cast(x, dtype), edges, _cast(edge_attr, dtype), _cast(node_attr, dtype)
            )

    def _convolve(self, x: Any, edges: Edges, edge_attr: Tensor | None, node_attr: Any) -> Tensor:
        graph = check_graph(
            self.field_in, self.filter, edges.to(self.neighbours.dtype), x, edge_attr, node_attr
        )
        y = self._aggregate(graph)
        if not self.is_measured():
            self._measure(graph, y)
        y = y * self.scale_factor()
        if self.self_interaction is not None:
            y = y + self.self_interaction(graph.target_features)
        return y

    def plan(self, nodes: int, edges: int) -> Plan:
        """What the orders of computation cost on a graph of this size, and which is taken."""
        return plan(self._works_here(), nodes, edges, self.engine)

    def _chosen(self, nodes: int, edges: int) -> Engine:
        if self.engine != "auto":
            return ENGINES[self.engine]
        return cheapest(self._works_here(), nodes, edges)

    def _works_here(self) -> dict[str, Work]:
        """What the orders cost on this device, in this precision."""
        return self._works[has_loops(self.neighbours.device, self.neighbours.dtype)]

    def _aggregate(self, graph: Graph) -> Tensor:
        graph = graph.weighted(self._edge_weight(graph))
        target = graph.edges.index[1]
        if self.aggregation == "max":
            return segment_max(self._sum(graph.one_edge_each()), target, graph.edges.size)
        y = self._sum(graph)
        if self.aggregation == "mean":
            degree = y.new_zeros(graph.edges.size).index_add(0, target, y.new_ones(target.shape))
            return y / degree.clamp(min=1).unsqueeze(1)
        return y

    def _edge_weight(self, graph: Graph) -> Tensor | None:
        """Factors of edges: those of attention."""
        if self.attention is None:
            return None
        weight: Tensor = self.attention(graph.x, graph.target_features, graph.edges.index)
        return weight

    def _sum(self, graph: Graph) -> Tensor:
        """The weighted sum over neighbours."""
        if torch.compiler.is_compiling():
            return self._traced_sum(graph)
        edges = graph.edges.count
        chosen = self._chosen(graph.edges.size, edges)
        recompute = self._recompute(edges, chosen)
        features = chosen.prepare(self.contraction, self.contraction.before(graph.x))
        try:
            if self._in_parts(graph):
                return self._sum_of_parts(graph, chosen, features)
            return self._sum_at_once(graph, chosen, features, recompute)
        except RuntimeError as error:
            if isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error):
                advice = self.plan(graph.edges.size, edges).advice(recompute)
                raise MemoryError(advice) from error
            raise

    def _traced_sum(self, graph: Graph) -> Tensor:
        """The sum in code that is being compiled or exported, whose sizes are not known."""
        contraction, index, size = self.contraction, graph.edges.index, graph.edges.size
        x = contraction.before(graph.x)
        plain = torch.compiler.is_exporting()
        if not plain and self.engine == "auto":
            plain = self._is_simple and index.shape[1] <= _FEW_EDGES
        if plain:
            values = self._plain_values(graph)
            return plain_sum(contraction.bind(), values, contraction.paths.split(x), index, size)
        # The compiler cannot look for another one: it is taken that a CPU has loops.
        usual = self._usual[self.neighbours.device.type == "cpu"]
        chosen = usual if self.engine == "auto" else ENGINES[self.engine]
        inputs = self._inputs(graph, chosen, chosen.prepare(contraction, x))
        return neighbour_sum(self._kernel(chosen), inputs, index, size)

    def _sum_at_once(
        self, graph: Graph, chosen: Engine, features: list[Tensor], recompute: bool
    ) -> Tensor:
        """The sum with the filter evaluated on all edges."""
        inputs, kernel = self._inputs(graph, chosen, features), self._kernel(chosen)
        if self.recompute is None:  # loops keep nothing
            recompute = recompute or kernel.loops(inputs) is not None
        return blockwise(kernel, graph.edges.hood, inputs, recompute)

    def _sum_of_parts(self, graph: Graph, chosen: Engine, features: list[Tensor]) -> Tensor:
        """The sum with the filter evaluated on the edges of some targets at a time.

        The backward pass evaluates it again.
        """
        parts = []
        for start, stop in self._bounds(graph):

            def sum_of_part(start: int = start, stop: int = stop) -> Tensor:
                # The part remembers what was computed of its edges: it is another one every time.
                return self._sum_at_once(graph.part(start, stop), chosen, features, True)

            if torch.is_grad_enabled():
                function = _with_weights_of_now(self, sum_of_part)
                y = checkpoint(function, use_reentrant=False, preserve_rng_state=False)
            else:
                y = sum_of_part()
            parts.append(y)
        return torch.cat(parts)

    def _bounds(self, graph: Graph) -> list[tuple[int, int]]:
        """Ranges of targets, with about as many edges as the filter is evaluated on together."""
        first, size = graph.edges.hood.rows.first, graph.edges.size
        numbers = range(self._at_once, graph.edges.count, self._at_once)
        ends = torch.tensor(numbers, dtype=first.dtype, device=first.device)
        cuts = torch.searchsorted(first, ends, right=True).sub_(1).clamp_(min=1)
        bounds = [0, *torch.unique(cuts).tolist(), size]
        return [(a, b) for a, b in pairwise(bounds) if a < b]

    @property
    def _at_once(self) -> int:
        return _SEPARABLE_AT_ONCE if self._separable else _FILTERED_AT_ONCE

    def _in_parts(self, graph: Graph) -> bool:
        if not graph.edges.count or transforms_active([graph.x, graph.edges.offset]):
            return False
        if self.recompute is None or not torch.is_grad_enabled():
            return graph.edges.count > self._at_once
        return self.recompute and not self._separable

    def _recompute(self, edges: int, chosen: Engine) -> bool:
        if self.recompute is None:
            return edges > _MANY_EDGES or chosen.name == "radial"
        return self.recompute

    def _kernel(self, chosen: Engine) -> NeighbourSum:
        contraction = self.contraction
        return NeighbourSum(chosen, contraction.recipe, constants_of(contraction.paths))

    def _inputs(self, graph: Graph, chosen: Engine, features: list[Tensor]) -> Inputs:
        values = chosen.values(self.filter, graph.edges, graph.attributes())
        return Inputs(_scaled(values, graph.weight), features, chosen.weights(self.contraction))

    def _plain_values(self, graph: Graph) -> list[Tensor]:
        if self._separable:
            values = separable_values(self.filter, graph.edges, graph.attributes())
        else:
            values = ENGINES["moments"].values(self.filter, graph.edges, graph.attributes())
        return _scaled(values, graph.weight)

    def _measure(self, graph: Graph, y: Tensor) -> None:
        """Measure the mean square of the sums, per mean square of the features without outliers."""
        target = graph.edges.index[1]
        # Without edges the power is NaN: other ranks, which have edges, wait for this one.
        reached = y.new_zeros(y.shape[0], dtype=torch.bool).index_fill(0, target, True)
        squares = y.detach().double().square().mean(1)
        power = torch.where(reached, squares, 0.0).sum() / reached.sum()
        power = power / graph.x.detach().double().square().mean()
        # An outlier cancels only on average: the ratio would be the number of targets that it has.
        power = torch.where(has_outliers(graph.x), math.nan, power)
        # Without cancellation a sum has about as many terms of the features' size as neighbours.
        self.measure(power, target.shape[0] / reached.sum())

    def reset_parameters(self) -> None:
        """Draw new weights, those of the filter as well, and measure `neighbours` again."""
        for part in (self.filter, self.contraction, self.self_interaction, self.attention):
            reset(part)
        self.forget_scale()

    def meaning(self) -> str:
        number = "" if self.given is None else f", neighbours={self.given:g}"
        return (
            f"{self.field_in} -> {self.field_out}, {group_label(self.field_in.group)}, "
            f"aggregation={self.aggregation!r}{number}, {filter_line(self.filter)}"
        )

    def details(self) -> str:
        return filter_details(self.filter)

    def state_name(self) -> str:
        return "PointConv"  # which has the same weights


class _Call(nn.Module):
    """Calls a function, while `functional_call` has put other weights into a layer."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, function: Callable[[], Tensor]) -> Tensor:
        return function()


def _with_weights_of_now(layer: nn.Module, function: Callable[[], Tensor]) -> Callable[[], Tensor]:
    """`function` of the weights that `layer` has now, however late it is called.

    The backward pass may call it after torch.func.functional_call has taken them away.
    """
    call = _Call(layer)
    state = {**dict(call.named_parameters()), **dict(call.named_buffers())}
    return lambda: functional_call(call, state, (function,))


def _scaled(values: list[Tensor], weight: Tensor | None) -> list[Tensor]:
    """Filter values with a factor for every edge; the first of them is linear in the filter."""
    return values if weight is None else [values[0] * weight.unsqueeze(1), *values[1:]]


def _cast(value: Any, dtype: torch.dtype) -> Any:
    """Floating-point tensors, or pairs of them, in another precision."""
    if isinstance(value, (tuple, list)):
        return tuple(_cast(tensor, dtype) for tensor in value)
    return value.to(dtype) if isinstance(value, Tensor) else value


def _check_choice(name: str, value: object, choices: Any) -> None:
    if value not in choices:
        raise ValueError(f"{name} is one of {', '.join(choices)}; got {value!r}.")
