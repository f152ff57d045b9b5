"""Values and tolerances of the literature on spheres and rotations.

They are those that the files beside this one leave open.
"""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from oracles.sphere import evaluated, random_signals, relative_error, rotations
from steerable.convs.spheres.sphere_conv import SphereConv
from steerable.functions import (
    PointTransform,
    RotationTransform,
    SphereGrid,
    SphereTransform,
    spherical_harmonics,
)
from steerable.functions.wigner import real_basis, wigner_matrix
from steerable.groups import point_group
from steerable.groups.permutations.fft import PermutationFourier
from steerable.groups.permutations.permutations import compose
from steerable.groups.permutations.symmetric import SymmetricGroup
from steerable.groups.permutations.tableaux import partitions
from steerable.groups.permutations.young import orthogonal_form
from steerable.layers.sphere.activation import SphereActivation
from steerable.layers.sphere.signals import SphereSignals

SPHERE, WHOLE = SphereSignals.sphere(7, 4), SphereSignals.rotations(3, 3)


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_harmonics_at_one_point():
    """Orthonormal in the integral, at (1, 2, 3) / sqrt(14) of axes whose pole is z.

    Ours are (2, 3, 1).
    """
    second_half = [0.270476390518, -0.248319129872, -0.123903829206]
    known = [
        [0.282094791774],
        [0.261169028265, 0.391753542398, 0.130584514133],
        [0.156078347227, 0.468235041682, 0.292863596306, 0.234117520841, -0.117058760421],
        [-0.022527968947, 0.331092173163, 0.540952781035, 0.064115723636, *second_half],
    ]
    found = (
        spherical_harmonics(torch.tensor([2.0, 3, 1], dtype=torch.float64), 3)
        / (4 * torch.pi) ** 0.5
    )
    for l, (block, values) in enumerate(zip(found.split([1, 3, 5, 7]), known, strict=True)):
        torch.testing.assert_close(
            block, torch.tensor(values, dtype=torch.float64), atol=1e-12, rtol=0
        )
        assert float(block.square().sum()) == pytest.approx((2 * l + 1) / (4 * torch.pi), abs=1e-15)
    standard = real_basis(2).mH @ found[4:9].to(torch.complex128)
    assert complex(standard[3]) == pytest.approx(-0.165546086581 - 0.331092173163j, abs=1e-12)


@pytest.mark.parametrize("l", [1, 2, 5, 10, 20, 60])
def test_wigner_matrices_multiply(l):
    a, b = rotations(6), rotations(6, seed=1)
    product = wigner_matrix(l, a) @ wigner_matrix(l, b)
    torch.testing.assert_close(product, wigner_matrix(l, a @ b), atol=1e-13, rtol=0)


@pytest.mark.parametrize(
    ("band", "exact", "single"),
    [(8, 1e-13, 1e-6), (16, 1e-13, 1e-6), (32, 1e-13, 1e-6), (64, 1e-13, 2e-6), (256, 5e-13, 4e-6)],
)
def test_the_sphere_on_the_grid_of_driscoll_and_healy(band, exact, single):
    transform, c = (
        SphereTransform(band - 1, SphereGrid("fejer", 2 * band, 2 * band)),
        draw(2, band**2),
    )
    weights = transform.grid.weights[:, None] / transform.grid.longitudes
    for dtype, error, parseval in ((torch.float32, single, 1e-6), (torch.float64, exact, 1e-14)):
        known, used = c.to(dtype), weights.to(dtype)
        samples = transform.to(dtype).synthesis(known)
        assert (transform.analysis(samples) - known).abs().max() <= error
        power = (used * samples**2).sum((1, 2)) / known.square().sum(1)
        assert (power - 1).abs().max() <= parseval


@pytest.mark.parametrize(("band", "exact"), [(4, 1e-14), (8, 2e-14), (16, 5e-14), (32, 1e-13)])
def test_rotations_on_the_grid_of_kostelec_and_rockmore(band, exact):
    transform = RotationTransform(
        band - 1, grid=SphereGrid("fejer", 2 * band, 2 * band), turns=2 * band
    ).double()
    assert transform.shape == (2 * band,) * 3
    c = draw(transform.layout.size)
    samples = transform.synthesis(c)
    assert (transform.analysis(samples) - c).abs().max() <= exact
    weights = transform.grid.weights[:, None, None] / (2 * band) ** 2
    assert float((weights * samples**2).sum() / c.square().sum()) == pytest.approx(1, abs=1e-15)
    assert (transform.float().analysis(samples.float()) - c).abs().max() < 1e-6


def test_a_correlation_of_rotations_is_its_integral():
    """The mean over Q of psi(R^-1 Q) f(Q), relative to the largest value, at band 5."""
    torch.manual_seed(0)
    signals, grid = SphereSignals.rotations(4, 1), RotationTransform(4).double()
    conv, f, where = (
        SphereConv(signals, signals, bias=False).double(),
        draw(grid.layout.size),
        rotations(20, seed=2),
    )
    matrices = conv.matrices()
    psi = grid.layout.join(
        [(2 * l + 1) ** 0.5 * matrix.detach().T for l, matrix in enumerate(matrices)]
    )
    weights = grid.grid.weights[:, None, None] / (grid.grid.longitudes * grid.turns)
    kernel = evaluated(grid.layout, psi, where.mT[:, None, None, None] @ grid.rotations())
    wanted = (weights * kernel * grid.synthesis(f)).sum((1, 2, 3))
    found = signals.coefficients(conv(signals.features(grid.layout.split(f[None]))))[0].detach()
    came = evaluated(grid.layout, found, where)
    torch.testing.assert_close(came, wanted, atol=1e-13 * float(wanted.abs().max()), rtol=0)


@pytest.mark.parametrize(
    ("signals", "function", "known"),
    [
        (SPHERE, torch.relu, {1: 0.16, 4: 3e-3, 8: 5e-4}),
        (SPHERE, torch.tanh, {1: 0.13, 4: 9e-5, 8: 3e-8}),
        (SPHERE, F.silu, {1: 0.14, 8: 4e-12}),
        (SPHERE, F.softplus, {1: 0.05, 4: 9e-8, 8: 2e-13}),
        (SPHERE, torch.square, {1: 0.27}),
        (WHOLE, torch.relu, {1: 0.11, 3: 2e-3, 4: 9e-4}),
        (WHOLE, torch.tanh, {1: 0.09, 3: 1e-4, 4: 1e-5}),
        (WHOLE, F.silu, {1: 0.09, 4: 1e-7}),
        (WHOLE, torch.square, {1: 0.19}),
    ],
)
def test_activations_lose_as_little_as_known(signals, function, known):
    x, matrix = random_signals(signals, 6), signals.field.matrix(rotations(1, seed=1)[0]).T
    for oversampling, error in known.items():
        layer = SphereActivation(signals, function, oversampling).double()
        assert relative_error(layer(x @ matrix), layer(x) @ matrix) < 3 * error


def test_the_24_rotations_of_the_cube_are_exact_on_lebedevs_points():
    """And a generic one is not: where samples are rectified, 86 points for a signal of degree 3."""
    fine, c = PointTransform.lebedev(7).double(), draw(8, 16)

    def rectified(c):
        return fine.analysis(fine.synthesis(F.pad(c, (0, 48))).relu())[:, :16]

    def error(rotation):
        matrix = torch.block_diag(*(wigner_matrix(l, rotation) for l in range(4))).T
        return relative_error(rectified(c @ matrix), rectified(c) @ matrix)

    cube = torch.from_numpy(point_group("O").representatives)
    assert len(cube) == 24 and fine.synthesis(F.pad(c, (0, 48))).shape == (8, 86)
    assert max(map(error, cube)) < 2e-14
    assert 5e-3 < error(rotations(1)[0]) < 0.1


@pytest.mark.parametrize("n", [2, 3, 4])
def test_all_permutations_multiply(n):
    elements = SymmetricGroup(n).elements
    s, t = elements.repeat(len(elements), 0), np.tile(elements, (len(elements), 1))
    for shape in partitions(n):
        product = orthogonal_form(shape, s) @ orthogonal_form(shape, t)
        np.testing.assert_allclose(product, orthogonal_form(shape, compose(s, t)), atol=2e-15)


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
def test_the_transform_over_permutations_comes_back(n):
    fourier = PermutationFourier(n)
    f = draw(len(fourier.representatives))
    error = (fourier.synthesis(fourier.analysis(f)) - f).abs().max()
    assert error <= 3e-15 * max(1, float(f.abs().max()))
