"""Aggregations of PyTorch Geometric that depend on the order of the elements."""

from __future__ import annotations

import warnings

from torch import nn


class OrderWarning(UserWarning):
    """A read-out depends on the order of the elements.

    The network is not invariant under permutations.
    """


def warn_of_order(aggregation: nn.Module) -> None:
    """Warn if an aggregation, or one that it is made of, depends on the order of the elements."""
    kinds = ordered()
    for module in aggregation.modules():
        if isinstance(module, kinds):
            warnings.warn(
                f"{type(module).__name__} depends on the order of the elements: the result "
                "changes when they are permuted. Sums, means, maxima, DeepSets and Set "
                "Transformer aggregations do not.",
                OrderWarning,
                stacklevel=3,
            )


def ordered() -> tuple[type[nn.Module], ...]:
    """The aggregations that depend on the order of the elements."""
    from torch_geometric.nn import aggr  # takes seconds to import

    return (
        aggr.GRUAggregation,
        aggr.LCMAggregation,
        aggr.LSTMAggregation,
        aggr.MLPAggregation,
        aggr.PatchTransformerAggregation,
    )
