"""Sort pooling: against loops over ranks, and its special cases."""

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from oracles.sets import BATCH, PTR, rows, shuffled
from steerable.convs.sets.sort_pool import SortPoolAggregation

DOUBLE = torch.float64


def test_sort_pool_equals_a_loop():
    torch.manual_seed(0)
    pool, x = SortPoolAggregation(3, pieces=4).double(), rows(10, 3)
    wanted = torch.zeros(6, 3, dtype=DOUBLE)
    for s in BATCH.unique():
        own = x[s == BATCH].sort(0, descending=True).values
        place = torch.linspace(0, 4, len(own), dtype=DOUBLE)
        low = place.floor().long().clamp(max=3)
        part = (place - low)[:, None]
        wanted[s] = ((pool.weight[low] * (1 - part) + pool.weight[low + 1] * part) * own).mean(0)
    torch.testing.assert_close(pool(x, BATCH, dim_size=6), wanted, atol=1e-14, rtol=0)
    torch.testing.assert_close(pool(*shuffled(x, BATCH), dim_size=6), wanted, atol=1e-14, rtol=0)
    torch.testing.assert_close(
        pool(x[BATCH.argsort(stable=True)], ptr=PTR), wanted, atol=1e-14, rtol=0
    )
    assert pool(x[:0], BATCH[:0], dim_size=3).eq(0).all()
    tied = torch.cat([x, x])
    torch.testing.assert_close(
        *(pool(tied[o], torch.cat([BATCH] * 2)[o]) for o in (slice(None), torch.arange(19, -1, -1)))
    )


def test_sort_pool_holds_mean_and_maximum():
    pool, x = SortPoolAggregation(3).double(), rows(10, 3)
    with torch.no_grad():
        pool.weight.fill_(1)
    torch.testing.assert_close(pool(x), x.mean(0, keepdim=True))
    with torch.no_grad():
        pool.weight.zero_()[0] = 10
    assert (
        pool(x[:9]).sub(x[:9].max(0).values * 10 / 9).abs().max() < 1e-14
    )  # eight pieces: one rank a knot


def test_it_has_derivatives():
    pool, x = SortPoolAggregation(3).double(), rows(10, 3).requires_grad_()
    assert gradcheck(lambda x: pool(x, BATCH), x) and gradgradcheck(lambda x: pool(x, BATCH), x)


def test_errors():
    x = rows(10, 3)
    with pytest.raises(
        ValueError, match=r"pools the rows of features \(element, channel\); got \(10, 3\), dim=-1"
    ):
        SortPoolAggregation(3)(x, BATCH, dim=-1)
    with pytest.raises(ValueError, match="SortPoolAggregation expects 4 channels and got 3"):
        SortPoolAggregation(4)(x, BATCH)
    with pytest.raises(ValueError, match="linear on at least 1 piece; got 0"):
        SortPoolAggregation(4, 0)
    x[4, 1] = torch.nan
    with pytest.raises(
        ValueError, match=r"finite features; those of elements \[4\] are NaN or infinite"
    ):
        SortPoolAggregation(3)(x, BATCH)
