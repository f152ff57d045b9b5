"""The network of pairs: its symmetries, derivatives, and points in one place."""

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from steerable.groups import O3
from steerable.models.pair_net import PairNet

DOUBLE = torch.float64


SIZE = 4


def rows(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


def net(**options):
    torch.manual_seed(0)
    return PairNet(2, "4x0e+3x1o+2x2e", "3x0e+2x1o+1x2e", cutoff=4.0, radial=4, **options).double()


def test_pairs_commute_with_everything():
    model, x, pos, batch = net(), rows(6, 2), rows(6, 3, seed=1), torch.tensor([0, 0, 0, 1, 1, 3])
    y, generator = model(x, pos, batch, SIZE), torch.Generator().manual_seed(0)
    for g in O3().sample(5, generator):
        turn = model.field_out.matrix(g)
        order = torch.cat(
            [
                torch.randperm(3, generator=generator),
                3 + torch.randperm(2, generator=generator),
                batch[5:] + 2,
            ]
        )
        found = model(x[order], (pos @ g.T + rows(3))[order], batch)
        torch.testing.assert_close(found, (y @ turn.T)[order], atol=1e-12, rtol=0)
    torch.testing.assert_close(model(x[:3], pos[:3]), y[:3], atol=1e-12, rtol=0)
    assert model(x[:0], pos[:0], batch[:0]).shape == (0, 14)


def test_derivatives_with_respect_to_positions():
    model, x, pos = net(layers=1), rows(3, 2), rows(3, 3, seed=1).requires_grad_()
    assert gradcheck(lambda pos: model(x, pos), pos)
    assert gradgradcheck(lambda pos: model(x, pos), pos)


def test_coincident_points_see_degree_zero_alone():
    """Where all points are one, nothing has a direction; derivatives are finite there."""
    model, x = net(), rows(3, 2)
    pos = torch.zeros(3, 3, dtype=DOUBLE, requires_grad=True)
    y = model(x, pos)
    assert y[:, 3:].eq(0).all() and y[:, :3].abs().max() > 1e-3
    (gradient,) = torch.autograd.grad(y.sum(), pos, create_graph=True)
    assert gradient.isfinite().all()


def test_errors():
    batch = torch.tensor([0, 1, 0, 1, 1, 3])
    with pytest.raises(ValueError, match=r"PairNet expects attributes \(6, 2\); got \(6, 3\)"):
        net()(rows(6, 3), rows(6, 3))
    with pytest.raises(ValueError, match="`batch` is not sorted"):
        net()(rows(6, 2), rows(6, 3), batch)
    with pytest.raises(ValueError, match="finite features"):
        net()(rows(6, 2) * torch.nan, rows(6, 3))
