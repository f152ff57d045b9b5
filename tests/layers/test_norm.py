"""Running statistics: bad batches, copies, and batches that are spread over processes."""

import copy

import pytest
import torch
from torch.optim.swa_utils import AveragedModel

from oracles.processes import in_two_processes
from steerable.nn import BatchNorm, SphereBatchNorm, SphereSignals


def norms():
    signals = SphereSignals.sphere(2, 2)
    return {"irreps": BatchNorm("2x0e+1x1o"), "sphere": SphereBatchNorm(signals)}


KINDS = list(norms())


def values(layer):
    return layer.running_mean.clone(), layer.running_square.clone()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_what_is_not_finite_does_not_enter(kind, bad):
    layer = norms()[kind]
    x = 3 * torch.randn(40, layer.field_in.dim)
    layer(x)
    before = values(layer)
    layer(torch.full_like(x, bad))
    torch.testing.assert_close(values(layer), before, atol=0, rtol=0)
    assert layer.eval()(x).isfinite().all()


@pytest.mark.parametrize("kind", KINDS)
def test_averages_and_copies_follow(kind):
    layer = norms()[kind]
    average, start = AveragedModel(layer), copy.deepcopy(layer.state_dict())
    x = 3 * torch.randn(40, layer.field_in.dim)
    layer(x)
    average.update_parameters(layer)
    assert average.eval()(x).equal(copy.deepcopy(layer).eval()(x))
    first = values(layer)
    layer.load_state_dict(start)
    layer(x)
    torch.testing.assert_close(values(layer), first, atol=0, rtol=0)


def split(kind):
    """Rows of two ranks, the second with fewer."""
    torch.manual_seed(3)
    rows = 2 + 3 * torch.randn(20, norms()[kind].field_in.dim)
    return rows, (rows[:13], rows[13:])


def on_a_rank(rank):
    results = {}
    for kind in KINDS:
        layer, x = norms()[kind], split(kind)[1][rank].requires_grad_(True)
        y = layer(x)
        (gradient,) = torch.autograd.grad(y.pow(3).sum(), x, create_graph=True)
        (second,) = torch.autograd.grad(gradient.square().sum(), x)
        results[kind] = [t.detach() for t in (y, gradient, second, *values(layer))]
        layer(x.detach() if rank else x[:0].detach())  # a rank without rows
        results[kind].append(layer.running_mean.clone())
    return results


def test_ranks_have_the_statistics_of_all_rows():
    ranks = in_two_processes(on_a_rank)
    for kind in KINDS:
        layer, (rows, parts) = norms()[kind], split(kind)
        rows.requires_grad_(True)
        y = layer(rows)
        (gradient,) = torch.autograd.grad(y.pow(3).sum(), rows, create_graph=True)
        (second,) = torch.autograd.grad(gradient.square().sum(), rows)
        for k, whole in enumerate((y, gradient, second)):
            spread = torch.cat([rank[kind][k] for rank in ranks])
            torch.testing.assert_close(spread, whole.detach(), atol=1e-4, rtol=1e-4)
        for rank in ranks:
            torch.testing.assert_close(tuple(rank[kind][3:5]), values(layer))
        layer(parts[1])
        assert ranks[0][kind][5].equal(ranks[1][kind][5])
        torch.testing.assert_close(ranks[0][kind][5], layer.running_mean)
