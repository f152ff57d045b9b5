"""Activations on grids against their definition and the known errors; the exact product."""

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional as F

from oracles.sphere import evaluated, random_signals, relative_error, rotations
from oracles.states import weights_of
from steerable.field import FieldMismatchError
from steerable.functions.clebsch_gordan import real_coupling
from steerable.functions.layout import Layout
from steerable.functions.rotations import RotationTransform
from steerable.functions.sphere import SphereGrid, SphereTransform
from steerable.groups import rotation as turn
from steerable.layers.sphere.activation import SphereActivation, SphereProduct
from steerable.layers.sphere.degree_mixing import degree_pairs
from steerable.layers.sphere.signals import SphereSignals

SIGNALS = [
    SphereSignals.sphere(4, 2),
    SphereSignals.rotations(2, 2),
    SphereSignals.rotations(3, 2, 1),
]
SPHERE, WHOLE = SphereSignals.sphere(7, 4), SphereSignals.rotations(3, 3)


def error(layer, signals, batch=6):
    """Mean relative error under random rotations, a signal each."""
    x = random_signals(signals, batch)
    found = []
    for rotation in rotations(3, seed=1):
        matrix = signals.field.matrix(rotation).T
        found.append(
            relative_error(
                *(signals.coefficients(y) for y in (layer(x @ matrix), layer(x) @ matrix))
            )
        )
    return sum(found) / len(found)


@pytest.mark.parametrize("signals", SIGNALS, ids=str)
def test_equals_the_function_of_the_values_on_a_fine_grid(signals):
    fine = RotationTransform(4, grid=SphereGrid.resolving(6), turns=15).double()
    layout, layer = signals.layout, SphereActivation(signals, torch.square).double()
    x = random_signals(signals, 2)
    y = signals.coefficients(layer(x))
    for one, found in zip(signals.coefficients(x).flatten(0, 1), y.flatten(0, 1), strict=True):
        whole = fine.analysis(evaluated(layout, one, fine.rotations()).square())
        blocks = fine.layout.split(whole)[: layout.max_degree + 1]
        kept = [block[[n + l for n in layout.columns(l)]] for l, block in enumerate(blocks)]
        torch.testing.assert_close(layout.join(kept), found, atol=1e-13, rtol=0)


@pytest.mark.parametrize("signals", SIGNALS, ids=str)
def test_squares_are_exact_from_one_and_a_half(signals):
    assert error(SphereActivation(signals, torch.square, 1.5).double(), signals) < 1e-12
    assert error(SphereActivation(signals, torch.square, 1.0).double(), signals) > 1e-2


@pytest.mark.parametrize(
    ("signals", "function", "oversampling", "known"),
    [
        (SPHERE, F.silu, 2, 1.4e-3),
        (SPHERE, F.silu, 4, 1.2e-6),
        (SPHERE, torch.relu, 2, 1.9e-2),
        (SPHERE, torch.tanh, 2, 8e-3),
        (SPHERE, F.softplus, 2, 2e-4),
        (WHOLE, F.silu, 2, 4e-4),
        (WHOLE, F.silu, 3, 5e-6),
        (WHOLE, torch.relu, 2, 8e-3),
        (WHOLE, torch.tanh, 2, 2e-3),
    ],
)
def test_errors_are_those_known(signals, function, oversampling, known):
    assert error(SphereActivation(signals, function, oversampling).double(), signals) < 3 * known


def test_turns_of_the_grid_about_the_pole_are_exact():
    for signals in SIGNALS:
        layer = SphereActivation(signals, torch.relu, 2.0).double()
        x = random_signals(signals, 3)
        step = torch.from_numpy(turn(2 * torch.pi / layer.transform.shape[1], (0, 1, 0)))
        matrix = signals.field.matrix(step).T
        torch.testing.assert_close(layer(x @ matrix), layer(x) @ matrix, atol=1e-13, rtol=0)


@pytest.mark.parametrize("mixing", ["tree", "full"])
@pytest.mark.parametrize("signals", [*SIGNALS, SphereSignals(Layout.spin(3, 1), 2)], ids=str)
def test_the_product_is_exact(signals, mixing):
    torch.manual_seed(0)
    layer = SphereProduct(signals, mixing).double()
    assert error(layer, signals) < 1e-12
    x, rotation = random_signals(signals, 4).float(), rotations(1)[0].float()
    matrix = signals.field.matrix(rotation).T
    single = layer.float()
    assert relative_error(single(x @ matrix), single(x) @ matrix) < 2e-6


def test_the_product_is_the_sum_of_couplings_written_out():
    signals = SphereSignals.rotations(3, 2, 1)
    layer = SphereProduct(signals).double()
    x = random_signals(signals, 1)[0]
    blocks = signals.blocks(x)
    expected = [block.clone() for block in blocks]
    with torch.no_grad():
        for (a, b, l), weight in zip(layer.paths, layer.weight, strict=True):
            assert (a, b) in degree_pairs(3, l)
            coupling = real_coupling(a, b, l)
            for c in range(2):
                for n in (-1, 0, 1):
                    if abs(n) <= min(a, b, l):
                        left, right = (blocks[d][c, n + min(d, 1)] for d in (a, b))
                        value = torch.einsum("ijk,i,j->k", coupling, left, right)
                        expected[l][c, n + min(l, 1)] += weight[c] * value
    torch.testing.assert_close(layer(x), signals.features(expected), atol=1e-14, rtol=0)


def test_a_square_on_the_sphere_is_a_product_with_known_weights():
    """f^2 by Gaunt's integrals.

    The mean of Y_l1 Y_l2 Y_l is (2l1+1)^1/2 (2l2+1)^1/2 / (2l+1)^1/2 <l1 0 l2 0|l 0> C.
    """
    signals = SphereSignals.sphere(3, 1)
    layer, transform = (
        SphereProduct(signals, "full").double(),
        SphereTransform(3, SphereGrid.resolving(9)).double(),
    )
    with torch.no_grad():
        for k, (a, b, l) in enumerate(layer.paths):
            coupling = real_coupling(a, b, l)
            gaunt = coupling[a, b, l] * ((2 * a + 1) * (2 * b + 1) / (2 * l + 1)) ** 0.5
            layer.weight[k] = gaunt * (1 if a == b else 2)
    x = random_signals(signals, 3)
    square = transform.analysis(transform.synthesis(x).square())
    torch.testing.assert_close(layer(x) - x, square, atol=1e-13, rtol=0)


@pytest.mark.parametrize("make", [SphereActivation, SphereProduct])
def test_derivatives_compiler_batches_and_precision(make):
    signals = SphereSignals.rotations(2, 1, 1)
    layer = make(signals).double()
    x = random_signals(signals, 3)
    assert gradcheck(layer, x[:1].clone().requires_grad_())
    assert gradgradcheck(layer, x[:1].clone().requires_grad_())
    torch.testing.assert_close(layer(x)[1], layer(x[1]), atol=1e-14, rtol=0)
    assert layer(x[:0]).shape == (0, signals.field.dim)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x), layer(x), atol=1e-13, rtol=0)
    torch.testing.assert_close(
        layer.float()(x.float()), layer.double()(x).float(), atol=2e-6, rtol=0
    )
    assert weights_of(layer.train()) == weights_of(layer.eval()) <= {"weight"}


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: SphereActivation(SPHERE, oversampling=0.5),
            "at least 1, where the grid carries the signal; got 0.5",
        ),
        (
            lambda: SphereActivation(SphereSignals(Layout.spin(3, 1), 1)),
            r"columns 0 or -N to N; got \(-1, 1\)",
        ),
        (lambda: SphereProduct(SPHERE, "some"), "tree or full; got 'some'"),
    ],
)
def test_what_cannot_be_made(call, text):
    with pytest.raises(ValueError, match=text):
        call()


@pytest.mark.parametrize("make", [SphereActivation, SphereProduct])
def test_other_features(make):
    with pytest.raises(FieldMismatchError, match=f"{make.__name__} expects features of 4x0"):
        make(SPHERE)(torch.zeros(3, 7))


def test_values_that_are_not_finite():
    with pytest.raises(ValueError, match="finite samples"):
        SphereActivation(SPHERE)(torch.full((1, SPHERE.field.dim), torch.nan))
