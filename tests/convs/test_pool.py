"""Pooling by PyG's aggregations."""

import pytest
import torch
from torch_geometric.nn.aggr import DeepSetsAggregation, SoftmaxAggregation

from steerable.convs import Pool
from steerable.field import FieldError


def test_sum_and_mean_equal_loops_and_empty_graphs_give_zeros():
    x, batch = torch.randn(5, 5), torch.tensor([2, 0, 0, 2, 2])
    for how in ("sum", "mean"):
        wanted = torch.stack(
            [getattr(x[batch == g], how)(0) if (batch == g).any() else torch.zeros(5) for g in range(4)]
        )
        torch.testing.assert_close(Pool("2x0e+1x1o", how)(x, batch, 4), wanted)
    assert Pool("2x0e+1x1o")(x).shape == (1, 5)
    assert Pool("2x0e+1x1o")(x[:0]).eq(0).all() and Pool("2x0e+1x1o")(x[:0]).shape == (1, 5)
    assert Pool("2x0e+1x1o")(x[:0], batch[:0], 3).eq(0).all()


def test_other_aggregations_need_invariants():
    x, batch = torch.randn(5, 4), torch.tensor([0, 0, 1, 1, 1])
    for aggregation in ("max", SoftmaxAggregation(), DeepSetsAggregation(torch.nn.Linear(4, 4))):
        assert Pool("4x0e", aggregation)(x, batch).shape == (2, 4)
        with pytest.raises(FieldError, match=r"keeps invariant fields only; got 1x0e\+1x1o. Use 'sum' or 'mean'"):
            Pool("1x0e+1x1o", aggregation)
