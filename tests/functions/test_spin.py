"""Fields with a direction on the sphere.

As columns of signals on the rotations, and derivatives of signals.
"""

import math

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from steerable.functions import spherical_harmonics
from steerable.functions.rotations import RotationTransform
from steerable.functions.sphere import SphereGrid, SphereTransform
from steerable.functions.spin import SpinTransform, curl, divergence, gradient
from steerable.functions.wigner import wigner_matrix


def coefficients(transform, batch=2):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(batch, transform.layout.size, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("spin", [1, 2, 5])
@pytest.mark.parametrize(("degree", "rule"), [(5, "gauss"), (6, "fejer"), (40, "clenshaw-curtis")])
def test_round_trip_and_parseval(spin, degree, rule):
    transform = SpinTransform(degree, spin, SphereGrid.resolving(degree, rule)).double()
    c = coefficients(transform)
    samples = transform.synthesis(c)
    torch.testing.assert_close(transform.analysis(samples), c, atol=1e-13, rtol=0)
    weights = transform.grid.weights[:, None] / transform.grid.longitudes
    torch.testing.assert_close(
        (weights * samples**2).sum((1, 2, 3)), 2 * c.square().sum(1), rtol=1e-14, atol=0
    )
    single = transform.float()
    torch.testing.assert_close(
        single.analysis(single.synthesis(c.float())), c.float(), atol=2e-6, rtol=0
    )


@pytest.mark.parametrize("spin", [1, 2])
def test_it_is_two_columns_of_a_signal_on_the_rotations(spin):
    """u cos(s g) + v sin(s g) at every turn g of the frame."""
    transform, whole = SpinTransform(4, spin).double(), RotationTransform(4, spin).double()
    c = coefficients(transform, 1)[0]
    middle = [
        torch.zeros(len(whole.layout.columns(l)), 2 * l + 1, dtype=torch.float64) for l in range(5)
    ]
    for l, block in enumerate(transform.layout.split(c)):
        if l >= spin:
            middle[l][0], middle[l][-1] = block
    turn = torch.arange(whole.turns, dtype=torch.float64) * (2 * math.pi / whole.turns)
    u, v = transform.synthesis(c)[..., None]
    expected = u * torch.cos(spin * turn) + v * torch.sin(spin * turn)
    torch.testing.assert_close(
        whole.synthesis(whole.layout.join(middle)), expected, atol=1e-13, rtol=0
    )


def test_a_rotated_wind_has_rotated_coefficients():
    """w(x) -> R w(R^-1 x) under random rotations.

    The vectors w are fields of gradients and curls.
    """
    transform = SpinTransform(4).double()
    c = coefficients(transform, 1)[0]
    potential, stream = (
        torch.randn(25, generator=torch.Generator().manual_seed(k), dtype=torch.float64)
        for k in (1, 2)
    )
    points, frames = transform.grid.points(), transform.grid.frames()

    def wind(x):
        x = x.detach().requires_grad_()
        values = spherical_harmonics(x, 4)
        (slope,) = torch.autograd.grad((values @ potential).sum(), x, retain_graph=True)
        (turned,) = torch.autograd.grad((values @ stream).sum(), x)
        return slope + torch.linalg.cross(x.detach(), turned)

    def components(vectors):
        return torch.einsum("frli,rli->frl", frames, vectors)

    c = transform.analysis(components(wind(points)))
    torch.testing.assert_close(transform.synthesis(c), components(wind(points)), atol=1e-12, rtol=0)
    for seed in range(3):
        q = torch.linalg.qr(
            torch.randn(3, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        )[0]
        q = q * torch.linalg.det(q)
        turned = transform.analysis(components(wind(points @ q) @ q.T))
        blocks = [
            block @ wigner_matrix(l, q).T for l, block in enumerate(transform.layout.split(c))
        ]
        torch.testing.assert_close(turned, transform.layout.join(blocks), atol=1e-12, rtol=0)


def test_the_gradient_is_that_of_the_harmonics():
    sphere, spin = SphereTransform(6).double(), SpinTransform(6).double()
    c = coefficients(sphere, 1)[0]
    points = sphere.grid.points().requires_grad_()
    (slope,) = torch.autograd.grad((spherical_harmonics(points, 6) @ c).sum(), points)
    expected = torch.einsum("frli,rli->frl", sphere.grid.frames(), slope)
    torch.testing.assert_close(spin.synthesis(gradient(c)), expected, atol=1e-12, rtol=0)


def test_divergence_and_curl():
    sphere, spin = SphereTransform(6).double(), SpinTransform(6).double()
    c = coefficients(sphere)
    laplacian = torch.cat([torch.full((2 * l + 1,), -l * (l + 1.0)) for l in range(7)]).double()
    torch.testing.assert_close(divergence(gradient(c)), laplacian * c, atol=1e-13, rtol=0)
    assert curl(gradient(c)).abs().max() == 0
    polar = spin.grid.polar[:, None].expand(-1, spin.grid.longitudes)
    solid = spin.analysis(
        torch.stack([torch.zeros_like(polar), polar.sin()])
    )  # the sphere turns about its pole
    torch.testing.assert_close(sphere.synthesis(curl(solid)), 2 * polar.cos(), atol=1e-13, rtol=0)
    assert divergence(solid).abs().max() < 1e-14


def test_a_degree_that_takes_long_by_hand():
    transform = SpinTransform(128, 1).double()
    c = coefficients(transform, 1)
    torch.testing.assert_close(transform.analysis(transform.synthesis(c)), c, atol=3e-13, rtol=0)


@pytest.mark.parametrize("dense", [0, 2**18])
def test_derivatives_the_compiler_and_empty_batches(monkeypatch, dense):
    monkeypatch.setattr(SpinTransform, "_dense_entries", dense)
    transform = SpinTransform(2).double()
    c = coefficients(transform).requires_grad_()
    samples = transform.synthesis(c).detach().requires_grad_()
    for function, x in (
        (transform.analysis, samples),
        (transform.synthesis, c),
        (gradient, coefficients(SphereTransform(2)).requires_grad_()),
        (divergence, c),
        (curl, c),
    ):
        assert gradcheck(function, x)
        assert gradgradcheck(lambda x, f=function: f(x).square(), x)
    compiled = torch.compile(
        lambda x: curl(transform.analysis(transform.synthesis(x))),
        fullgraph=True,
        backend="aot_eager",
    )
    torch.testing.assert_close(compiled(c), curl(c), atol=1e-13, rtol=0)
    assert transform.analysis(transform.synthesis(c[:0])).shape == c[:0].shape
    assert gradient(torch.zeros(0, 9)).shape == (0, 16) and divergence(
        torch.zeros(0, 16)
    ).shape == (0, 9)


def test_a_constant_has_no_gradient():
    assert gradient(torch.ones(3, 1)).shape == (3, 0)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: SpinTransform(4, 0), "at least 1; got 0"),
        (lambda: SpinTransform(4, 5), "orders up to 4"),
        (
            lambda: SpinTransform(4, 1, SphereGrid.resolving(3)),
            "SpinTransform of degree 4 needs 5 rings",
        ),
        (
            lambda: SpinTransform(2).analysis(torch.full((2, 3, 5), math.nan)),
            "needs finite samples",
        ),
        (lambda: SpinTransform(2).analysis(torch.zeros(3, 5)), r"samples \(\.\.\., 2, 3, 5\)"),
        (lambda: gradient(torch.zeros(3, 8)), r"\(L \+ 1\)\^2; got 8"),
        (lambda: divergence(torch.zeros(3, 9)), r"2 \(L \+ 1\)\^2 - 2; got 9"),
        (lambda: curl(torch.zeros(3, 0)), "got 0"),
    ],
)
def test_what_has_no_transform(call, text):
    with pytest.raises(ValueError, match=text):
        call()
