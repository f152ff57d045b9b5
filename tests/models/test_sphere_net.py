"""The classifier of signals on the sphere: its symmetry, its batches, its size."""

import pytest
import torch
from torch import nn

from oracles.sphere import random_signals, rotations
from steerable.functions.spectra import Rotate
from steerable.layers.sphere.activation import SphereProduct
from steerable.layers.sphere.signals import SphereSignals
from steerable.models.sphere_net import SphereClassifier


def small(**arguments):
    torch.manual_seed(0)
    settings = {
        "rings": 9,
        "degrees": (7, 5, 3),
        "widths": (3, 4),
        "knots": 3,
        "hidden": 8,
    } | arguments
    return SphereClassifier(5, **settings).double()


def test_logits_keep_under_rotations():
    model = small().eval()
    f = random_signals(SphereSignals.sphere(7, 1), 4)
    rotate, transform = Rotate(model.transform.layout).double(), model.transform
    logits = model(transform.synthesis(f))
    turned = model(transform.synthesis(rotate(f, rotations(4))))
    assert (turned - logits).norm() < 1e-2 * (logits - logits.mean(0)).norm()


def test_all_but_the_activations_is_exact():
    model = small().eval()
    signals = [layer.signals for layer in model.layers if hasattr(layer, "oversampling")]
    places = [k for k, layer in enumerate(model.layers) if hasattr(layer, "oversampling")]
    for place, signal in zip(places, signals, strict=True):
        model.layers[place] = SphereProduct(signal).double()
    f = random_signals(SphereSignals.sphere(7, 1), 4)
    rotate, transform = Rotate(model.transform.layout).double(), model.transform
    logits = model(transform.synthesis(f))
    turned = model(transform.synthesis(rotate(f, rotations(4))))
    torch.testing.assert_close(
        turned, logits, atol=1e-12 * float(logits.detach().abs().max()), rtol=0
    )


def test_batches_gradients_and_state():
    model = small()
    x = torch.randn(6, 9, 18, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    nn.functional.cross_entropy(model(x), torch.arange(6) % 5).backward()
    assert all(
        p.grad is not None and p.grad.isfinite().all() and p.grad.any() for p in model.parameters()
    )
    keys = set(model.state_dict())
    model.eval()
    assert set(model.state_dict()) == keys
    torch.testing.assert_close(model(x)[2:3], model(x[2:3]), atol=1e-12, rtol=0)
    assert model(x[:0]).shape == (0, 5)
    torch.testing.assert_close(
        model.float()(x.float()), model.double()(x).float(), atol=1e-4, rtol=0
    )


def test_the_usual_network_is_small():
    assert sum(p.numel() for p in SphereClassifier(10).parameters()) <= 60_000
    assert small(max_order=0)(torch.zeros(2, 9, 18, dtype=torch.float64)).shape == (2, 5)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"widths": (3,)}, r"one for every width; got degrees \(7, 5, 3\) and widths \(3,\)"),
        ({"widths": (), "degrees": (7,)}, "one for every width"),
        ({"degrees": (7, 3, 5)}, "makes no new degrees"),
        ({"rings": 6}, "degree 7 needs 8 rings"),
    ],
)
def test_networks_that_cannot_be_made(arguments, text):
    with pytest.raises(ValueError, match=text):
        small(**arguments)


def test_other_samples():
    with pytest.raises(ValueError, match=r"expects samples \(..., 9, 18\); got \(2, 18, 9\)"):
        small()(torch.zeros(2, 18, 9, dtype=torch.float64))
