"""Rotation of coefficients against the group's irreps, and the invariants that it leaves."""

import math

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from steerable.field import Field
from steerable.functions.layout import Layout
from steerable.functions.spectra import Bispectrum, Rotate, power_spectrum
from steerable.functions.sphere import SphereTransform
from steerable.groups import O3, SO3

LAYOUTS = [Layout.sphere(6), Layout.rotations(4), Layout.rotations(5, 1), Layout.spin(4, 2)]


def signals(layout, batch=4):
    return torch.randn(
        batch, layout.size, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )


def orthogonal(count, seed=0):
    draws = torch.randn(
        count, 3, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    sign = 1 - 2 * (torch.arange(count) % 2)  # a reflection every other time
    return torch.linalg.qr(draws)[0] * sign[:, None, None]


def proper(count):
    q = orthogonal(count)
    return q * torch.linalg.det(q)[:, None, None]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_rotation_is_that_of_the_field(layout):
    terms = (
        f"{len(layout.columns(l))}x{l}" for l in range(layout.max_degree + 1) if layout.columns(l)
    )
    field, rotation, f = Field.parse("+".join(terms), SO3()), proper(4), signals(layout)
    rotate = Rotate(layout).double()
    expected = (field.matrix(rotation) @ f[..., None])[..., 0]
    torch.testing.assert_close(rotate(f, rotation), expected, atol=1e-12, rtol=0)
    torch.testing.assert_close(rotate(rotate(f, rotation), rotation.mT), f, atol=1e-12, rtol=0)
    torch.testing.assert_close(
        rotate(f, rotation[0])[1], rotate(f[1], rotation[0]), atol=1e-13, rtol=0
    )
    assert rotate(f[0], rotation).shape == (4, layout.size)


def test_reflections_of_the_sphere():
    field, rotate, f = (
        Field.parse("0e + 1o + 2e + 3o", O3()),
        Rotate(Layout.sphere(3)).double(),
        signals(Layout.sphere(3)),
    )
    flips = torch.cat([orthogonal(2), -torch.eye(3, dtype=torch.float64)[None], -proper(1)])
    expected = (field.matrix(flips) @ f[..., None])[..., 0]
    torch.testing.assert_close(rotate(f, flips), expected, atol=1e-12, rtol=0)


def test_a_high_degree_turns_back():
    layout = Layout.sphere(64)
    rotate, f, rotation = Rotate(layout).double(), signals(layout, 1), proper(1)
    torch.testing.assert_close(rotate(rotate(f, rotation), rotation.mT), f, atol=5e-13, rtol=0)
    turned = rotate.float()(f.float(), rotation.float())
    torch.testing.assert_close(turned.double(), rotate.double()(f, rotation), atol=2e-4, rtol=0)


def test_derivatives_of_rotation():
    layout = Layout.sphere(2)
    rotate = Rotate(layout).double()
    f, v = (
        signals(layout, 2).requires_grad_(),
        torch.zeros(3, dtype=torch.float64, requires_grad=True),
    )

    def turned(f, v):
        zero = torch.zeros_like(v[0])
        skew = torch.stack([zero, -v[2], v[1], v[2], zero, -v[0], -v[1], v[0], zero]).view(3, 3)
        return rotate(f, torch.linalg.matrix_exp(skew))

    assert gradcheck(turned, (f, v))
    assert gradgradcheck(turned, (f, v))


def test_the_compiler_and_empty_batches():
    layout = Layout.rotations(2)
    rotate, f, rotation = Rotate(layout).double(), signals(layout), proper(4)
    compiled = torch.compile(rotate, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(f, rotation), rotate(f, rotation), atol=1e-13, rtol=0)
    assert rotate(f[:0], rotation[:0]).shape == (0, layout.size)
    assert rotate.state_dict() == {}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_power_spectrum_is_invariant_and_sums_to_the_square(layout):
    f, rotation = signals(layout), proper(4)
    power = power_spectrum(f, layout)
    assert power.shape == (4, layout.max_degree + 1)
    torch.testing.assert_close(power.sum(1), f.square().sum(1), rtol=1e-14, atol=0)
    turned = power_spectrum(Rotate(layout).double()(f, rotation), layout)
    torch.testing.assert_close(turned, power, atol=1e-11, rtol=0)


def test_the_bispectrum_is_invariant_and_odd_sums_see_mirrors():
    bispectrum, layout = Bispectrum(4).double(), Layout.sphere(4)
    f, rotation = signals(layout), orthogonal(4)
    found, turned = bispectrum(f), bispectrum(Rotate(layout).double()(f, rotation))
    odd = torch.tensor([sum(triple) % 2 for triple in bispectrum.triples], dtype=torch.float64)
    mirrored = (torch.linalg.det(rotation) < 0).double()[:, None]
    assert 0 < mirrored.sum() < 4 and odd.sum() > 0
    torch.testing.assert_close(turned, found * (1 - 2 * odd * mirrored), atol=1e-12, rtol=0)
    assert (found.abs() > 1e-6).all()


def test_the_bispectrum_is_a_mean_of_products():
    """Even sums: the mean over the sphere of a product of three parts.

    It is times the same constant for every signal.
    """
    bispectrum, transform, f = (
        Bispectrum(3).double(),
        SphereTransform(6).double(),
        signals(Layout.sphere(3)),
    )
    padded = torch.cat([f, torch.zeros(4, 33, dtype=torch.float64)], 1)
    parts = []
    for l in range(4):
        only = torch.zeros_like(padded)
        only[:, l * l : (l + 1) ** 2] = padded[:, l * l : (l + 1) ** 2]
        parts.append(transform.synthesis(only))
    weights = transform.grid.weights[:, None] / transform.grid.longitudes
    found = bispectrum(f)
    for k, (a, b, c) in enumerate(bispectrum.triples):
        if (a + b + c) % 2 == 0:
            mean = (weights * parts[a] * parts[b] * parts[c]).sum((1, 2))
            ratio = mean / found[:, k]
            torch.testing.assert_close(ratio, ratio[:1].expand(4), rtol=1e-9, atol=0)


def test_it_tells_signals_apart_that_share_a_power_spectrum():
    layout = Layout.sphere(3)
    f = signals(layout, 1)
    other = torch.cat(
        [-block if l == 2 else block for l, block in enumerate(f.split([1, 3, 5, 7], 1))], 1
    )
    assert torch.equal(power_spectrum(f, layout), power_spectrum(other, layout))
    bispectrum = Bispectrum(3).double()
    assert (bispectrum(f) - bispectrum(other)).abs().max() > 0.1
    assert gradcheck(bispectrum, f.requires_grad_())


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: Rotate(Layout.sphere(2))(torch.zeros(8), torch.eye(3)),
            "Rotate expects 9 coefficients",
        ),
        (
            lambda: Rotate(Layout.sphere(2))(torch.zeros(9), torch.eye(3).double()),
            "rotations in torch.float64. Convert",
        ),
        (lambda: Rotate(Layout.sphere(2))(torch.zeros(9), torch.zeros(3, 3)), "orthogonal"),
        (
            lambda: Rotate(Layout.sphere(2))(torch.zeros(9), torch.full((3, 3), math.nan)),
            "orthogonal",
        ),
        (
            lambda: Rotate(Layout.spin(2, 1))(torch.zeros(16), -torch.eye(3)),
            "Reflections act on signals on the sphere",
        ),
        (lambda: power_spectrum(torch.zeros(8), Layout.sphere(2)), "9 coefficients"),
        (lambda: Bispectrum(2)(torch.zeros(8)), "9 coefficients"),
    ],
)
def test_what_cannot_be_rotated(call, text):
    with pytest.raises(ValueError, match=text):
        call()
