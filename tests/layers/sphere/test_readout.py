"""What is read from signals.

Means and powers against sums over the sphere, and smoothed signals of lower degree.
"""

import math

import pytest
import torch
from torch.autograd import gradcheck

from oracles.sphere import random_signals, rotations
from steerable.field import FieldMismatchError
from steerable.functions.layout import Layout
from steerable.functions.rotations import RotationTransform
from steerable.functions.sphere import SphereGrid, SphereTransform
from steerable.layers.sphere.readout import SphereInvariants, SpherePool
from steerable.layers.sphere.signals import SphereSignals

ALL = [SphereSignals.sphere(4, 3), SphereSignals.rotations(3, 2), SphereSignals.rotations(3, 3, 1)]


@pytest.mark.parametrize("signals", ALL, ids=str)
@pytest.mark.parametrize("power", [False, True])
def test_invariants_are_means_over_all_rotations(signals, power):
    layer, x = SphereInvariants(signals, power).double(), random_signals(signals, 5)
    found = layer(x).unflatten(-1, (signals.channels, -1))
    assert layer(x).shape == (5, layer.field_out.dim) and layer.field_out.is_invariant
    turned = layer(x @ signals.field.matrix(rotations(1)[0]).T).unflatten(
        -1, (signals.channels, -1)
    )
    torch.testing.assert_close(turned, found, atol=1e-13, rtol=0)
    layout = signals.layout
    on_sphere = layout.orders == (0,)
    transform = (SphereTransform if on_sphere else RotationTransform)(
        layout.max_degree, *layout.orders[-1:][on_sphere:]
    )
    samples = transform.double().synthesis(signals.coefficients(x))
    weights = (
        transform.grid.weights.view(-1, *[1] * (len(transform.shape) - 1))
        / samples[0, 0, 0].numel()
    )
    axes = tuple(range(2, samples.dim()))
    torch.testing.assert_close(found[..., 0], (samples * weights).sum(axes), atol=1e-13, rtol=0)
    if power:
        whole = found[..., 0] ** 2 + found[..., 1:].sum(-1)
        torch.testing.assert_close(
            whole, (samples.square() * weights).sum(axes), atol=1e-13, rtol=0
        )
        assert found.shape[-1] == layout.max_degree + 1


def test_tangent_fields_have_powers_alone():
    signals = SphereSignals(Layout.spin(3, 1), 2)
    with pytest.raises(ValueError, match="no mean, which is the column n = 0. Take power=True"):
        SphereInvariants(signals)
    layer, x = SphereInvariants(signals, power=True), random_signals(signals, 4).float()
    assert str(layer.field_out) == "6x0" and layer(x).shape == (4, 6)
    torch.testing.assert_close(
        layer(x).unflatten(1, (2, 3)).sum(2), signals.coefficients(x).square().sum(2)
    )


@pytest.mark.parametrize("signals", ALL, ids=str)
def test_pooling_smooths_and_commutes(signals):
    pool, x = SpherePool(signals, 2, 0.3).double(), random_signals(signals, 4)
    matrix = rotations(1)[0]
    turned = pool(x @ signals.field.matrix(matrix).T)
    torch.testing.assert_close(
        turned, pool(x) @ pool.field_out.matrix(matrix).T, atol=1e-13, rtol=0
    )
    assert pool.signals_out.layout == Layout(
        2, tuple(n for n in signals.layout.orders if abs(n) <= 2)
    )
    for l, (before, after) in enumerate(
        zip(signals.blocks(x)[:3], pool.signals_out.blocks(pool(x)), strict=True)
    ):
        factor = torch.exp(torch.tensor(-l * (l + 1) * 0.045, dtype=torch.float64))
        torch.testing.assert_close(after, factor * before, atol=1e-14, rtol=0)


def test_a_width_makes_heat():
    """The Gaussian taper takes a point to a bump that is positive everywhere: nothing rings."""
    signals = SphereSignals.sphere(30, 1)
    grid = SphereGrid.resolving(30)
    point = torch.cat(
        [torch.eye(2 * l + 1, dtype=torch.float64)[l] * (2 * l + 1) ** 0.5 for l in range(31)]
    )
    smooth = (
        SphereTransform(20, grid).double().synthesis(SpherePool(signals, 20, 0.25).double()(point))
    )
    sharp = SphereTransform(20, grid).double().synthesis(SpherePool(signals, 20).double()(point))
    assert smooth.min() > -1e-3 and sharp.min() < -10


@pytest.mark.parametrize("layer", [SphereInvariants(ALL[2], True), SpherePool(ALL[2], 1, 0.2)])
def test_derivatives_compiler_batches_and_precision(layer):
    layer, x = layer.double(), random_signals(ALL[2], 3)
    assert gradcheck(layer, x.clone().requires_grad_())
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x), layer(x), atol=1e-15, rtol=0)
    torch.testing.assert_close(layer(x)[1], layer(x[1]), atol=1e-15, rtol=0)
    assert layer(x[:0]).shape == (0, layer.field_out.dim) and layer.state_dict() == {}
    torch.testing.assert_close(
        layer.float()(x.float()), layer.double()(x).float(), atol=1e-6, rtol=0
    )


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: SpherePool(ALL[0], 5), "lowers the degree 4 of signals; got 5"),
        (
            lambda: SpherePool(SphereSignals(Layout.spin(3, 2), 1), 1),
            r"orders \(-2, 2\) have no degree up to 1",
        ),
        (lambda: SpherePool(ALL[0], 2, math.nan), "0 or more radians; got nan"),
        (lambda: SpherePool(ALL[0], 2)(torch.zeros(3)), "SpherePool expects features of 3x0"),
        (
            lambda: SphereInvariants(ALL[0])(torch.zeros(3)),
            "SphereInvariants expects features of 3x0",
        ),
    ],
)
def test_what_cannot_be_read(call, text):
    with pytest.raises((ValueError, FieldMismatchError), match=text):
        call()
