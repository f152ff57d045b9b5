"""Aggregations of PyTorch Geometric that depend on the order of the elements."""

from __future__ import annotations

import warnings

from torch import nn
from torch_geometric.nn.aggr import (
    GRUAggregation,
    LCMAggregation,
    LSTMAggregation,
    MLPAggregation,
    PatchTransformerAggregation,
)

ORDERED = (
    GRUAggregation,
    LCMAggregation,
    LSTMAggregation,
    MLPAggregation,
    PatchTransformerAggregation,
)


class OrderWarning(UserWarning):
    """A read-out depends on the order of the elements.

    The network is not invariant under permutations.
    """


def warn_of_order(aggregation: nn.Module) -> None:
    """Warn if an aggregation, or one that it is made of, depends on the order of the elements."""
    for module in aggregation.modules():
        if isinstance(module, ORDERED):
            warnings.warn(
                f"{type(module).__name__} depends on the order of the elements: the result "
                "changes when they are permuted. Sums, means, maxima, DeepSets and Set "
                "Transformer aggregations do not.",
                OrderWarning,
                stacklevel=3,
            )
