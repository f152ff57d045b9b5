"""Pooling of node features to one feature per graph.

Sums, means, maxima, or any Aggregation of PyG.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ...field import Field, FieldError
from ...groups import Group
from ...ops import segment_max, segment_mean, segment_sum
from ..sets.order import warn_of_order

if TYPE_CHECKING:
    from torch_geometric.nn.aggr import Aggregation

_SEGMENTS = ("sum", "mean", "max")


class Pool(nn.Module):
    """Aggregate node features (node, field.dim) to (graph, field.dim).

    Sums and means keep every field's symmetry; other aggregations (maximum, attention, DeepSets,
    ...) treat components one by one and are allowed on invariant fields alone. A graph without
    nodes gives zeros. Sums and means are accumulated in float64 whatever the features are.

    Args:
        field: type of the features.
        aggregation: `"sum"`, `"mean"` or `"max"`, the name of another PyG Aggregation, or a PyG
            Aggregation.
        group: group of a field given as text, O(3) by default.

    Raises:
        FieldError: an aggregation that would break the symmetry of the field.
    """

    def __init__(
        self, field: Field | str, aggregation: str | Aggregation = "sum", group: Group | None = None
    ) -> None:
        super().__init__()
        self.field_in = self.field_out = Field.parse(field, group)
        self.aggregation = _resolved(aggregation)
        if self.aggregation not in ("sum", "mean") and not self.field_in.is_invariant:
            raise FieldError(
                f"{self.name} keeps invariant fields only; got {self.field_in}. Use "
                "'sum' or 'mean', or map the features to invariants first, with Linear."
            )
        if isinstance(self.aggregation, nn.Module):
            warn_of_order(self.aggregation)

    def forward(self, x: Tensor, batch: Tensor | None = None, size: int | None = None) -> Tensor:
        """Pool.

        Args:
            x: features (node, field.dim).
            batch: graph of every node (node,), in any order; one graph if absent.
            size: number of graphs; by default the largest in `batch` plus one. Give it where the
                last graphs may have no nodes, and to compile.

        Returns:
            (graph, field.dim).
        """
        self.field_in.check(x, "Pool")
        exact = None if x.device.type == "mps" else torch.float64  # which MPS does not have
        if batch is None and size in (None, 1) and self.aggregation == "sum":
            return x.sum(0, keepdim=True, dtype=exact).to(x.dtype)
        if batch is None:
            batch, size = torch.zeros(len(x), dtype=torch.long, device=x.device), size or 1
        elif batch.shape != x.shape[:1]:
            raise ValueError(
                f"Pool needs the graph of each of the {len(x)} nodes; got batch "
                f"{tuple(batch.shape)}."
            )
        elif size is None:
            size = int(batch.max()) + 1 if len(batch) else 0
        if isinstance(self.aggregation, nn.Module):
            result: Tensor = self.aggregation(x, batch, dim_size=size, dim=0)
            return result
        if self.aggregation == "max":
            return segment_max(x, batch, size)
        reduction = segment_sum if self.aggregation == "sum" else segment_mean
        return reduction(x, batch, size, exact).to(x.dtype)

    @property
    def name(self) -> str:
        """That of the aggregation, such as SumAggregation."""
        return _name(self.aggregation)

    def extra_repr(self) -> str:
        kind = f", {self.aggregation!r}" if isinstance(self.aggregation, str) else ""
        return f"{self.field_in}{kind}"


def _resolved(aggregation: str | Aggregation) -> str | Aggregation:
    """`sum`, `mean` or `max`, which need no PyG, or an Aggregation of PyG."""
    if aggregation in _SEGMENTS:
        return aggregation
    from torch_geometric.nn import aggr
    from torch_geometric.nn.resolver import aggregation_resolver

    module: Aggregation = aggregation_resolver(aggregation)
    segments = {
        aggr.SumAggregation: "sum",
        aggr.MeanAggregation: "mean",
        aggr.MaxAggregation: "max",
    }
    return segments.get(type(module), module)


def _name(aggregation: str | Aggregation) -> str:
    if isinstance(aggregation, str):
        return f"{aggregation.capitalize()}Aggregation"
    return type(aggregation).__name__
