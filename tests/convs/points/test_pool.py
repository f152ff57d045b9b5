"""Pooling by segments and by PyG's aggregations."""

import pytest
import torch
from torch.autograd import gradgradcheck
from torch_geometric.nn import Sequential
from torch_geometric.nn.aggr import (
    DeepSetsAggregation,
    MaxAggregation,
    MeanAggregation,
    SoftmaxAggregation,
    SumAggregation,
)

from oracles.groups import EVERY, name
from steerable.convs import Pool
from steerable.field import Field, FieldError, FieldMismatchError
from steerable.groups import SO3, irreps

BATCH = torch.tensor([2, 0, 0, 2, 2])


def rows(*shape, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=dtype)


@pytest.mark.parametrize("how", ["sum", "mean", "max"])
def test_it_equals_a_loop_and_empty_graphs_give_zeros(how):
    x, field = rows(5, 4), "4x0e" if how == "max" else "1x0e+1x1o"
    one = {"sum": torch.sum, "mean": torch.mean, "max": torch.amax}[how]
    wanted = torch.stack(
        [one(x[g == BATCH], 0) if (g == BATCH).any() else x.new_zeros(4) for g in range(4)]
    )
    torch.testing.assert_close(Pool(field, how)(x, BATCH, 4), wanted)
    torch.testing.assert_close(Pool(field, how)(x, BATCH), wanted[:3])
    torch.testing.assert_close(Pool(field, how)(x), one(x, 0, keepdim=True))
    for nothing in (Pool(field, how)(x[:0]), Pool(field, how)(x[:0], BATCH[:0], 3)):
        assert nothing.eq(0).all() and nothing.shape[1] == 4
    assert Pool(field, how)(x[:0], BATCH[:0]).shape == (0, 4)


@pytest.mark.parametrize("group", EVERY, ids=name)
@pytest.mark.parametrize("how", ["sum", "mean"])
def test_it_commutes_with_random_elements(group, how):
    field = Field(group, tuple((2, irrep) for irrep in irreps(group, 2)))
    generator = torch.Generator().manual_seed(0)
    x = rows(5, field.dim)
    pool = Pool(field, how)
    for turn in field.matrix(group.sample(5, generator)):
        torch.testing.assert_close(
            pool(x @ turn.T, BATCH), pool(x, BATCH) @ turn.T, atol=1e-10, rtol=0
        )


def test_a_maximum_of_vectors_would_not_commute():
    """The error of the constructor keeps users from this."""
    turn = Field.parse("1x1o").matrix(SO3().sample(1, torch.Generator().manual_seed(0)))[0]
    pool, x = MaxAggregation(), rows(5, 3)
    assert (pool(x @ turn.T, BATCH, dim=0) - pool(x, BATCH, dim=0) @ turn.T).abs().max() > 0.1


@pytest.mark.parametrize("field", ["1x0e+1x1o", "2x0o", "1x0e+1x2e"])
@pytest.mark.parametrize(
    "aggregation", ["max", SoftmaxAggregation(), DeepSetsAggregation(torch.nn.Linear(4, 4))]
)
def test_other_aggregations_need_invariants(aggregation, field):
    assert Pool("4x0e", aggregation)(rows(5, 4, dtype=torch.float32), BATCH).shape == (3, 4)
    text = (
        r"Aggregation keeps invariant fields only; got {}. Use 'sum' or 'mean', or map the "
        r"features to invariants"
    )
    with pytest.raises(FieldError, match=text.format(field.replace("+", r"\+"))):
        Pool(field, aggregation)


def test_the_field_may_be_of_any_group():
    """What is a pseudoscalar of O(3) is an invariant of SO(3)."""
    assert Pool("4x0", "max", SO3())(rows(5, 4, dtype=torch.float32), BATCH).shape == (3, 4)


@pytest.mark.parametrize("how", ["sum", "mean", "max"])
def test_forces_may_train_through_it(how):
    x = rows(5, 2).requires_grad_()
    assert gradgradcheck(lambda x: Pool("2x0e", how)(x, BATCH), x)


@pytest.mark.parametrize("how", ["sum", "mean", "max"])
def test_it_compiles(how):
    torch._dynamo.reset()
    pool = Pool("2x0e", how)
    compiled = torch.compile(pool, backend="aot_eager", fullgraph=True, dynamic=True)
    for nodes in (5, 9):
        x, batch = rows(nodes, 2), torch.arange(nodes) % 4
        torch.testing.assert_close(compiled(x, batch, 4), pool(x, batch, 4))


def test_it_is_a_part_of_a_sequential_of_pyg():
    x = rows(5, 4, dtype=torch.float32)
    net = Sequential(
        "x, batch", [(torch.nn.Linear(4, 4), "x -> x"), (Pool("4x0e", "max"), "x, batch -> x")]
    )
    assert net(x, BATCH).shape == (3, 4)


@pytest.mark.parametrize("nodes", [50, 5000])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_sums_and_means_are_accumulated_in_float64(nodes, dtype):
    """Equal rows round alike at every step, so that errors add up."""
    x, batch = torch.full((nodes, 2), 0.1, dtype=dtype), torch.arange(nodes) % 2
    for how in ("sum", "mean"):
        exact = Pool("2x0e", how)(x.double(), batch)
        result = Pool("2x0e", how)(x, batch)
        assert result.dtype == dtype
        assert result.equal(exact.to(dtype))


def test_names_and_aggregations_of_pyg_are_one():
    """Other names are PyG's to read; what it has of sums, means and maxima is ours."""
    x = rows(5, 4)
    for how, others in {
        "sum": ("add", "Sum", SumAggregation()),
        "mean": ("MeanAggregation", MeanAggregation()),
        "max": (MaxAggregation(),),
    }.items():
        for other in others:
            pool = Pool("4x0e", other)
            assert pool.aggregation == how and not pool.state_dict()
            assert pool(x, BATCH).equal(Pool("4x0e", how)(x, BATCH))
    assert repr(Pool("4x0e")) == "Pool(4x0e, 'sum')"
    with pytest.raises(ValueError, match="Could not resolve 'total'"):
        Pool("4x0e", "total")


def test_bad_input():
    with pytest.raises(FieldMismatchError, match="Pool"):
        Pool("4x0e")(rows(5, 3), BATCH)
    with pytest.raises(
        ValueError, match=r"Pool needs the graph of each of the 5 nodes; got batch \(4,\)"
    ):
        Pool("4x0e")(rows(5, 4, dtype=torch.float32), BATCH[:4])
    for how in ("sum", "mean", "max"):
        with pytest.raises((RuntimeError, IndexError), match="out of (bounds|range)"):
            Pool("4x0e", how)(rows(5, 4, dtype=torch.float32), BATCH, 2)
