"""Means over the rows of all processes."""

import torch

from oracles.processes import in_two_processes
from steerable.layers.ranks import follow, mean_of_rows, mean_over_ranks, ranks
from steerable.nn import BatchNorm, SphereBatchNorm, SphereSignals


def norms():
    signals = SphereSignals.sphere(2, 2)
    return {"irreps": BatchNorm("2x0e+1x1o"), "sphere": SphereBatchNorm(signals)}


KINDS = list(norms())


def values(layer):
    return layer.running_mean.clone(), layer.running_square.clone()


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


def test_one_process_has_ordinary_means():
    x = torch.randn(7, 3, dtype=torch.float64, requires_grad=True)
    assert ranks() == 1
    (gradient,) = torch.autograd.grad(mean_of_rows(x).square().sum(), x)
    expected = sum(x.unbind(0)) / 7
    torch.testing.assert_close(mean_of_rows(x), expected[None])
    torch.testing.assert_close(gradient, (2 / 7 * expected).expand(7, 3))
    numbers = torch.tensor([1.0, torch.nan])
    torch.testing.assert_close(mean_over_ranks(numbers), numbers, equal_nan=True)


def test_running_values_follow_what_is_finite():
    running = torch.tensor([0.0, 1.0, 2.0, 3.0])
    follow(running, torch.tensor([4.0, torch.nan, torch.inf, -1.0]).double(), 0.25)
    assert running.tolist() == [1, 1, 2, 2] and running.dtype == torch.float32
