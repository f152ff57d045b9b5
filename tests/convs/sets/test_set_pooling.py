"""Janossy, sort pooling and attention on ragged batches: against loops over sets.

What PyG's aggregations keep.
"""

import itertools
import math

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck, gradgradcheck
from torch_geometric.nn import aggr

from steerable.convs.sets import set_attention
from steerable.convs.sets.janossy import JanossyAggregation
from steerable.convs.sets.order import OrderWarning, ordered, warn_of_order
from steerable.convs.sets.set_attention import InducedSetAttention
from steerable.convs.sets.sort_pool import SortPoolAggregation
from steerable.field import Field
from steerable.groups import O3
from steerable.layers import MLP

DOUBLE = torch.float64
BATCH = torch.tensor([2, 0, 0, 2, 2, 4, 0, 2, 5, 5])  # sets 1 and 3 are empty
PTR = torch.tensor([0, 3, 3, 7, 7, 8, 10])


def rows(*shape, seed=0, dtype=DOUBLE):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def shuffled(x, batch, seed=0):
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    return x[order], batch[order]


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


@pytest.mark.parametrize("pool", [SortPoolAggregation(3).double(), JanossyAggregation(network(2))])
def test_pools_have_derivatives(pool):
    x = rows(10, 3).requires_grad_()
    assert gradcheck(lambda x: pool(x, BATCH), x) and gradgradcheck(lambda x: pool(x, BATCH), x)


def attention(dtype=DOUBLE):
    torch.manual_seed(0)
    return InducedSetAttention(8, points=3, heads=2).to(dtype)


def by_hand(layer, x):
    """One set, head by head, as in the paper."""

    def look(block, query, seen):
        key, value = block.seen(seen).chunk(2, -1)
        parts = []
        for q, k, v in zip(
            block.query(query).split(4, -1), key.split(4, -1), value.split(4, -1), strict=True
        ):
            parts.append((q @ k.T / 2).softmax(-1) @ v)
        h = block.first(query + block.out(torch.cat(parts, -1)))
        return block.last(h + block.feed(h))

    return look(layer.spread, x, look(layer.gather, layer.points, x))


def test_attention_equals_a_loop_over_sets(monkeypatch):
    layer, x = attention(), rows(10, 8)
    wanted = torch.zeros_like(x)
    for s in BATCH.unique():
        wanted[s == BATCH] = by_hand(layer, x[s == BATCH])
    torch.testing.assert_close(layer(x, BATCH), wanted, atol=1e-13, rtol=0)
    torch.testing.assert_close(layer(x), by_hand(layer, x), atol=1e-13, rtol=0)
    order = torch.randperm(10, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(layer(x[order], BATCH[order]), wanted[order], atol=1e-12, rtol=0)
    assert layer(x[:0], BATCH[:0], 3).shape == (0, 8)
    monkeypatch.setattr(set_attention, "_Blocks", set_attention._Rows)  # what is compiled
    torch.testing.assert_close(layer(x, BATCH), wanted, atol=1e-13, rtol=0)


def test_attention_on_large_batches():
    layer, batch = (
        attention(),
        torch.randint(60, (6000,), generator=torch.Generator().manual_seed(0)),
    )
    x = rows(6000, 8)
    wanted = torch.zeros_like(x)
    for s in batch.unique():
        wanted[s == batch] = by_hand(layer, x[s == batch])
    torch.testing.assert_close(layer(x, batch), wanted, atol=1e-13, rtol=0)


def test_attention_has_derivatives_and_compiles():
    layer, x = attention(), rows(6, 8).requires_grad_()
    assert gradgradcheck(lambda x: layer(x, BATCH[:6]), x)
    torch._dynamo.reset()
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    x = rows(10, 8)
    torch.testing.assert_close(compiled(x, BATCH, 6), layer(x, BATCH, 6))


def pyg(name):
    linear = nn.Linear(4, 4)
    made = {
        "Set2Set": lambda: aggr.Set2Set(4, 2),
        "LSTMAggregation": lambda: aggr.LSTMAggregation(4, 4),
        "GRUAggregation": lambda: aggr.GRUAggregation(4, 4),
        "LCMAggregation": lambda: aggr.LCMAggregation(4, 4),
        "QuantileAggregation": lambda: aggr.QuantileAggregation(0.3),
        "SortAggregation": lambda: aggr.SortAggregation(2),
        "AttentionalAggregation": lambda: aggr.AttentionalAggregation(nn.Linear(4, 1)),
        "MLPAggregation": lambda: aggr.MLPAggregation(4, 4, max_num_elements=9, num_layers=1),
        "DeepSetsAggregation": lambda: aggr.DeepSetsAggregation(linear, linear),
        "SetTransformerAggregation": lambda: aggr.SetTransformerAggregation(4),
        "GraphMultisetTransformer": lambda: aggr.GraphMultisetTransformer(4, 2),
        "EquilibriumAggregation": lambda: aggr.EquilibriumAggregation(4, 4, num_layers=[4]),
        "DegreeScalerAggregation": lambda: aggr.DegreeScalerAggregation(
            "mean", "identity", torch.ones(9)
        ),
        "MultiAggregation": lambda: aggr.MultiAggregation(["mean", "std", "max"]),
        "PatchTransformerAggregation": lambda: aggr.PatchTransformerAggregation(4, 4, 2, 4, 1),
    }
    torch.manual_seed(0)
    return made.get(name, getattr(aggr, name))().eval()


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("name", [name for name in aggr.classes if name != "Aggregation"])
def test_which_aggregations_of_pyg_depend_on_the_order(name):
    """Every Aggregation that the installed PyG has, by trial."""
    pool = pyg(name)
    x, index = rows(8, 4, dtype=torch.float32), torch.tensor([0] * 5 + [1] * 3)
    order = torch.tensor([3, 0, 4, 2, 1, 7, 5, 6])
    change = (
        (pool(x, index, dim_size=2, dim=0) - pool(x[order], index, dim_size=2, dim=0)).abs().max()
    )
    assert (change > 1e-3) == isinstance(pool, ordered())


def test_warnings_of_order():
    with pytest.warns(OrderWarning, match="LSTMAggregation depends on the order of the elements"):
        warn_of_order(aggr.MultiAggregation(["mean", aggr.LSTMAggregation(4, 4)]))
    warn_of_order(aggr.MultiAggregation(["mean", "max"]))


def test_errors():
    x = rows(10, 3)
    with pytest.raises(
        ValueError, match=r"k of at least 1 elements and samples is at least 1; got 0, None"
    ):
        JanossyAggregation(network(1), 0)
    with pytest.raises(ValueError, match=r"k = 3 makes 26,730,600 tuples .* 300 elem"):
        JanossyAggregation(network(3), 3)(rows(300, 3))
    with pytest.raises(ValueError, match="numbers the sets from 0 to 2; got set 5"):
        JanossyAggregation(network(2))(x, BATCH, dim_size=3)
    with pytest.raises(
        ValueError, match=r"pools the rows of features \(element, channel\); got \(10, 3\), dim=-1"
    ):
        SortPoolAggregation(3)(x, BATCH, dim=-1)
    with pytest.raises(ValueError, match="SortPoolAggregation expects 4 channels and got 3"):
        SortPoolAggregation(4)(x, BATCH)
    with pytest.raises(ValueError, match="linear on at least 1 piece; got 0"):
        SortPoolAggregation(4, 0)
    broken = x.clone()
    broken[4, 1] = torch.nan
    with pytest.raises(
        ValueError, match=r"finite features; those of elements \[4\] are NaN or infinite"
    ):
        SortPoolAggregation(3)(broken, BATCH)
    with pytest.raises(
        ValueError, match="3 heads share the channels evenly; 8 channels are no multiple"
    ):
        InducedSetAttention(8, heads=3)
    with pytest.raises(
        ValueError, match=r"InducedSetAttention expects \(element, 8\); got \(10, 3\)"
    ):
        attention()(x)
