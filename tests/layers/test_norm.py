"""Running statistics: bad batches, copies, and batches that are spread over processes."""

import copy

import pytest
import torch
from torch.optim.swa_utils import AveragedModel

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
