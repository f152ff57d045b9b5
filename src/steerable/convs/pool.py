"""Pooling of node features to one feature per graph, by any Aggregation of PyG."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch_geometric.nn.aggr import Aggregation
from torch_geometric.nn.resolver import aggregation_resolver

from ..field import Field, FieldError
from ..groups import Group

_LINEAR = ("SumAggregation", "MeanAggregation")


class Pool(nn.Module):
    """Aggregate node features (node, field.dim) to (graph, field.dim).

    Sums and means keep every field's symmetry; other aggregations (maximum, attention, DeepSets, ...) treat
    components one by one and are allowed on invariant fields alone. A graph without nodes gives zeros.

    Args:
        field: type of the features.
        aggregation: a PyG Aggregation, or its name such as `"sum"`, `"mean"`, `"max"`.

    Raises:
        FieldError: an aggregation that would break the symmetry of the field.
    """

    def __init__(self, field: Field | str, aggregation: str | Aggregation = "sum", group: Group | None = None) -> None:
        super().__init__()
        self.field_in = self.field_out = Field.parse(field, group)
        self.aggregation = aggregation_resolver(aggregation)
        name = type(self.aggregation).__name__
        if name not in _LINEAR and not self.field_in.is_invariant:
            raise FieldError(f"{name} keeps invariant fields only; got {self.field_in}. Use 'sum' or 'mean'.")

    def forward(self, x: Tensor, batch: Tensor | None = None, size: int | None = None) -> Tensor:
        """Pool.

        Args:
            x: features (node, field.dim).
            batch: graph of every node (node,); one graph if absent.
            size: number of graphs; by default the largest in `batch` plus one.
        """
        self.field_in.check(x, "Pool")
        if batch is None:
            batch, size = torch.zeros(len(x), dtype=torch.long, device=x.device), size or 1
        elif size is None:
            size = int(batch.max()) + 1 if len(batch) else 0
        result: Tensor = self.aggregation(x, batch, dim_size=size, dim=0)
        return result
