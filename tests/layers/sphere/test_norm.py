"""SphereBatchNorm against PyTorch's BatchNorm of the samples, and its equivariance."""

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck

from oracles.sphere import random_signals, rotations
from steerable.field import FieldMismatchError
from steerable.functions.layout import Layout
from steerable.functions.sphere import SphereGrid, SphereTransform
from steerable.layers.sphere.norm import SphereBatchNorm
from steerable.layers.sphere.signals import SphereSignals

ALL = [
    SphereSignals.sphere(4, 3),
    SphereSignals.rotations(3, 3, 1),
    SphereSignals(Layout.spin(3, 1), 3),
]


def randomised(signals):
    torch.manual_seed(0)
    norm = SphereBatchNorm(signals).double()
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    return norm


@pytest.mark.parametrize("signals", ALL, ids=str)
def test_commutes_with_rotations(signals):
    norm = randomised(signals)
    x = random_signals(signals, 5)
    matrix = signals.field.matrix(rotations(1)[0]).T
    for _ in range(2):
        torch.testing.assert_close(norm(x @ matrix), norm(x) @ matrix, atol=1e-12, rtol=0)
        norm.eval()


def test_is_the_norm_of_the_values():
    """Weighted by copies.

    A Clenshaw-Curtis grid has points of unequal weight, so means are taken by its weights.
    """
    signals = ALL[0]
    norm, transform = randomised(signals), SphereTransform(4, SphereGrid.resolving(8)).double()
    x = random_signals(signals, 6)
    weights = transform.grid.weights[:, None] / transform.grid.longitudes
    f = transform.synthesis(signals.coefficients(x))
    mean = (f * weights).sum((2, 3)).mean(0)[:, None, None]
    variance = ((f - mean).square() * weights).sum((2, 3)).mean(0)[:, None, None]
    scale, shift = norm.weight[:, None, None], norm.bias[:, None, None]
    expected = scale * (f - mean) / (variance + 1e-5).sqrt() + shift
    torch.testing.assert_close(
        transform.synthesis(signals.coefficients(norm(x))), expected, atol=1e-12, rtol=0
    )
    torch.testing.assert_close(norm.running_mean, 0.1 * mean.flatten(), atol=1e-14, rtol=0)
    torch.testing.assert_close(
        norm.running_square, 0.9 + 0.1 * variance.flatten(), atol=1e-14, rtol=0
    )


def test_running_values_are_followed_and_used():
    signals = ALL[1]
    norm = SphereBatchNorm(signals, momentum=1.0).double()
    x = random_signals(signals, 50) * 3 + 0.0
    expected = norm(x)
    norm.eval()
    torch.testing.assert_close(norm(x), expected, atol=1e-12, rtol=0)
    torch.testing.assert_close(norm(x)[4], norm(x[4]), atol=1e-14, rtol=0)


def test_derivatives_compiler_empty_batches_and_precision():
    signals = ALL[1]
    norm, x = randomised(signals), random_signals(signals, 3)
    assert gradcheck(norm, x.clone().requires_grad_())
    norm.eval()
    compiled = torch.compile(norm, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x), norm(x), atol=1e-14, rtol=0)
    torch.testing.assert_close(norm.float()(x.float()), norm.double()(x).float(), atol=1e-5, rtol=0)
    before = norm.train().running_square.clone()
    assert norm(x[:0]).shape == (0, signals.field.dim) and torch.equal(norm.running_square, before)


def test_one_signal_without_a_batch():
    norm, x = randomised(ALL[1]), random_signals(ALL[1], 1)
    torch.testing.assert_close(norm(x[0]), norm(x)[0])


def test_other_features():
    with pytest.raises(FieldMismatchError, match="SphereBatchNorm expects features of 3x0"):
        SphereBatchNorm(ALL[0])(torch.zeros(2, 4))
