"""Janossy pooling: against loops over all tuples of every set."""

import itertools
import math

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck, gradgradcheck

from oracles.sets import BATCH, PTR, rows, shuffled
from steerable.convs.sets.janossy import JanossyAggregation
from steerable.field import Field
from steerable.groups import O3
from steerable.layers import MLP

DOUBLE = torch.float64


def network(k, channels=3):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(k * channels, 8), nn.SiLU(), nn.Linear(8, 2)).double()


@pytest.mark.parametrize("k", [1, 2, 3])
def test_janossy_is_the_mean_over_all_tuples(k):
    f, x = network(k), rows(10, 3)
    wanted = torch.zeros(6, 2, dtype=DOUBLE)
    for s in range(6):
        tuples = list(itertools.permutations(torch.nonzero(s == BATCH).flatten().tolist(), k))
        if tuples:
            wanted[s] = f(x[torch.tensor(tuples)].flatten(1)).mean(0)
    pool = JanossyAggregation(f, k)
    torch.testing.assert_close(pool(x, BATCH, dim_size=6), wanted, atol=1e-14, rtol=0)
    torch.testing.assert_close(pool(*shuffled(x, BATCH), dim_size=6), wanted, atol=1e-12, rtol=0)
    torch.testing.assert_close(
        pool(x[BATCH.argsort(stable=True)], ptr=PTR), wanted, atol=1e-14, rtol=0
    )
    assert pool(x[:0], BATCH[:0], dim_size=3).eq(0).all()


def test_sampled_janossy_approaches_the_mean_and_keeps_small_sets_exact():
    f, x, batch = network(2), rows(44, 3), torch.tensor([0] * 40 + [1] * 4)
    exact = JanossyAggregation(f)(x, batch)
    sampled = JanossyAggregation(f, samples=1000)
    draws = torch.stack(
        [sampled(x, batch, generator=torch.Generator().manual_seed(s)) for s in range(30)]
    )
    torch.testing.assert_close(draws[:, 1], exact[1].expand(30, -1), atol=1e-14, rtol=0)
    assert ((draws[:, 0].mean(0) - exact[0]).abs() < 4 * draws[:, 0].std(0) / math.sqrt(30)).all()
    assert draws[:, 0].std(0).max() < 5 / math.sqrt(1000)
    again = sampled(x, batch, generator=torch.Generator().manual_seed(0))
    assert torch.equal(again, draws[0])


def test_sampled_tuples_are_different_elements_and_all_occur():
    pool = JanossyAggregation(nn.Identity(), 3, samples=23)  # of 24 tuples: drawn at random
    seen = torch.cat([_tuples(pool, seed) for seed in range(40)])
    assert len(seen.unique(dim=0)) == 24 and (seen.sort(1).values.diff(dim=1) > 0).all()


def _tuples(pool, seed):
    taken = torch.full((23,), 23)
    place, n = torch.arange(23), torch.full((23,), 4)
    return torch.stack(pool._members(place, n, taken, torch.Generator().manual_seed(seed)), 1)


def test_steerable_janossy_keeps_the_field():
    field = Field.parse("1x0e+1x1o")
    f = MLP(field * 2, Field.parse("0e+1o"), 4, field, activation="product").double()
    x, turn = rows(10, 4), field.matrix(O3().sample(1, torch.Generator().manual_seed(0)))[0]
    pool = JanossyAggregation(f)
    torch.testing.assert_close(pool(x @ turn.T, BATCH), pool(x, BATCH) @ turn.T, atol=1e-12, rtol=0)


def test_it_has_derivatives():
    pool, x = JanossyAggregation(network(2)), rows(10, 3).requires_grad_()
    assert gradcheck(lambda x: pool(x, BATCH), x) and gradgradcheck(lambda x: pool(x, BATCH), x)


def test_errors():
    with pytest.raises(
        ValueError, match=r"k of at least 1 elements and samples is at least 1; got 0, None"
    ):
        JanossyAggregation(network(1), 0)
    with pytest.raises(ValueError, match=r"k = 3 makes 26,730,600 tuples .* 300 elem"):
        JanossyAggregation(network(3), 3)(rows(300, 3))
    with pytest.raises(ValueError, match="numbers the sets from 0 to 2; got set 5"):
        JanossyAggregation(network(2))(rows(10, 3), BATCH, dim_size=3)
