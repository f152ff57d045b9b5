"""Networks on sets.

Symmetries with random elements, batches against single sets, what they can learn, bad input.
"""

import pytest
import torch
from torch_geometric.nn.aggr import LSTMAggregation, MultiAggregation, SetTransformerAggregation

from oracles.groups import EVERY, name
from oracles.states import assert_refused
from steerable.convs.sets.janossy import JanossyAggregation
from steerable.convs.sets.order import OrderWarning
from steerable.convs.sets.sort_pool import SortPoolAggregation
from steerable.field import Field, FieldError, FieldMismatchError
from steerable.groups import irreps
from steerable.models.set_net import MIXING, DeepSets, SetNet

DOUBLE = torch.float64
BATCH = torch.tensor([0, 0, 0, 1, 1, 3, 3, 3, 3])
SETS = 5  # sets 2 and 4 are empty


def rows(*shape, seed=0, dtype=DOUBLE):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def any_field(group):
    return Field(group, tuple((2, irrep) for irrep in irreps(group, 1)))


def made(kind, *arguments, **options):
    torch.manual_seed(0)
    return kind(*arguments, **options).double()


def test_power_sums_and_newton():
    """Sums of powers are deep sets.

    Those of (1, 2, 3), and the elementary symmetric polynomials they determine.
    """
    powers = torch.tensor([1.0, 2, 3])[:, None] ** torch.arange(1, 4)
    p1, p2, p3 = powers.sum(0).tolist()
    e2 = (p1 * p1 - p2) / 2
    assert (p1, p2, p3) == (6, 14, 36) and (p1, e2, (e2 * p1 - p1 * p2 + p3) / 3) == (6, 11, 6)


@pytest.mark.parametrize("group", EVERY, ids=name)
def test_they_commute_with_permutations_and_the_group(group):
    field = any_field(group)
    sums, net = made(DeepSets, field, field, field), made(SetNet, field, field, field, layers=2)
    x, generator = rows(9, field.dim), torch.Generator().manual_seed(1)
    for turn in field.matrix(group.sample(3, generator)):
        order = torch.randperm(9, generator=generator)
        moved, batch = x[order] @ turn.T, BATCH[order]
        torch.testing.assert_close(
            sums(moved, batch, SETS), sums(x, BATCH, SETS) @ turn.T, atol=1e-12, rtol=0
        )
        torch.testing.assert_close(
            net(moved, batch), (net(x, BATCH) @ turn.T)[order], atol=1e-12, rtol=0
        )


@pytest.mark.parametrize(
    "pool",
    [
        "sum",
        "mean",
        "max",
        SortPoolAggregation(8),
        MultiAggregation(["mean", "std", "max"]),
        SetTransformerAggregation(8),
        JanossyAggregation(torch.nn.Linear(16, 5)),
    ],
)
def test_sets_are_independent_and_their_order_is_free(pool):
    net, x = made(DeepSets, "3x0e", "8x0e", "2x0e", pool=pool), rows(9, 3)
    kept, batch = torch.unique(BATCH, return_inverse=True)
    whole = net(x, batch)
    for s in range(len(kept)):
        torch.testing.assert_close(net(x[s == batch]), whole[s : s + 1], atol=1e-12, rtol=0)
    order = torch.cat([torch.tensor([2, 0, 1, 4, 3]), torch.tensor([8, 5, 7, 6])])
    torch.testing.assert_close(net(x[order], batch), whole, atol=1e-12, rtol=0)


@pytest.mark.parametrize("mixing", MIXING)
def test_elements_see_their_own_set_alone(mixing):
    net, x = made(SetNet, "3x0e", "8x0e", "2x0e", layers=2, mixing=mixing), rows(9, 3)
    whole = net(x, BATCH, SETS)
    for s in BATCH.unique():
        torch.testing.assert_close(net(x[s == BATCH]), whole[s == BATCH], atol=1e-12, rtol=0)
    order = torch.randperm(9, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(net(x[order], BATCH[order]), whole[order], atol=1e-12, rtol=0)
    changed = x.clone()
    changed[3] += 1
    moved = (net(changed, BATCH) - whole).abs().amax(1)
    assert moved[3:5].min() > 1e-3 and moved[:3].max() == moved[5:].max() == 0


def test_sums_over_empty_sets_are_those_of_zeros():
    net, x = made(DeepSets, "3x0e", "8x0e", "2x0e"), rows(9, 3)
    empty = net.set(torch.zeros(1, 8, dtype=DOUBLE))
    torch.testing.assert_close(net(x, BATCH, SETS)[[2, 4]], empty.expand(2, -1))
    torch.testing.assert_close(net(x[:0], BATCH[:0], 2), empty.expand(2, -1))


def test_an_additive_network_adds_up():
    net, x = made(DeepSets, "3x0e", "8x0e", "2x0e", layers=(3, 1)), rows(9, 3)
    parts = torch.stack([net(row[None]) for row in x])
    bias = net.set(torch.zeros(1, 8, dtype=DOUBLE))
    torch.testing.assert_close(net(x), (parts - bias).sum(0) + bias, atol=1e-12, rtol=0)


def test_digit_sums_of_a_hundred_after_ten():
    """Trained on sets of up to 10 digits, exact after rounding on sets of 100."""
    torch.manual_seed(0)
    net = DeepSets("10x0e", "32x0e", "1x0e", layers=(2, 1))
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 400)
    for _ in range(400):
        batch = torch.arange(128).repeat_interleave(torch.randint(1, 11, (128,)))
        digits = torch.randint(10, (len(batch),))
        truth = torch.zeros(128).index_add_(0, batch, digits.float())
        found = net(torch.nn.functional.one_hot(digits, 10).float(), batch, 128)
        optimizer.zero_grad()
        torch.nn.functional.l1_loss(found[:, 0], truth).backward()
        optimizer.step()
        schedule.step()
    digits = torch.randint(10, (500, 100))
    with torch.no_grad():
        batch = torch.arange(500).repeat_interleave(100)
        found = net(torch.nn.functional.one_hot(digits.flatten(), 10).float(), batch, 500)
    assert (found[:, 0].round() == digits.sum(1)).float().mean() >= 0.99


def test_errors():
    x = rows(9, 3)
    with pytest.raises(
        ValueError, match=r"maxima, which an empty set does not have; sets \[2, 4\] of 5 are empty"
    ):
        made(DeepSets, "3x0e", "8x0e", "2x0e", pool="max")(x, BATCH, SETS)
    with pytest.raises(FieldError, match="MaxAggregation keeps invariant fields only; got 8x0e"):
        DeepSets("3x0e", "8x0e+2x1o", "2x0e", pool="max")
    with pytest.raises(
        FieldError, match="The mixing 'attention' keeps invariant fields only; got 2x1o"
    ):
        SetNet("3x0e", "2x1o", "2x0e", mixing="attention")
    with pytest.raises(ValueError, match="mixing is one of mean, max, attention; got 'sum'"):
        SetNet("3x0e", "8x0e", "2x0e", mixing="sum")
    with pytest.warns(OrderWarning, match="LSTMAggregation depends on the order"):
        DeepSets("3x0e", "8x0e", "2x0e", pool=LSTMAggregation(8, 8))
    broken = x.clone()
    broken[4] = torch.inf
    for net in (made(DeepSets, "3x0e", "8x0e", "2x0e"), made(SetNet, "3x0e", "8x0e", "2x0e")):
        with pytest.raises(ValueError, match=r"finite features; those of elements \[4\]"):
            net(broken, BATCH)
        with pytest.raises(FieldMismatchError, match="expects features of 3x0e"):
            net(x[:, :2], BATCH)
        with pytest.raises(ValueError, match="numbers the sets from 0 to 1; got set 3"):
            net(x, BATCH, 2)


@pytest.mark.parametrize("pools", [("sum", "mean"), ("mean", "max"), ("sum", "mul")])
def test_states_for_another_pool_are_refused(pools):
    ours, other = [DeepSets("2x0e", "4x0e", "1x0e", pool=pool) for pool in pools]
    assert_refused(ours, other.state_dict())
