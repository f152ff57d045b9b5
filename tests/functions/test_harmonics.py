"""Harmonics against closed forms, scipy, e3nn and the addition theorem.

Their derivatives at zero.
"""

import math

import numpy as np
import pytest
import torch
from e3nn import o3
from scipy.special import eval_legendre, sph_harm_y
from torch.autograd import gradcheck, gradgradcheck
from torch.autograd.functional import hessian, jacobian

from steerable.functions import solid_harmonics, spherical_harmonics

DIMENSIONS = [2, 3]


def points(dim, count=6, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(count, dim)))


def parts(value, dim):
    """The harmonics of every degree."""
    size = value.shape[-1]
    top = (size - 1) // 2 if dim == 2 else round(size**0.5) - 1
    return value.split(
        [1 if dim == 2 and l == 0 else 2 if dim == 2 else 2 * l + 1 for l in range(top + 1)], dim=-1
    )


def turned(dim, seed=0):
    """A random orthogonal matrix."""
    return torch.linalg.qr(points(dim, dim, seed))[0]


def test_low_degrees_written_out():
    x, y, z = points(3).T
    square = x * x + y * y + z * z
    second = [
        15**0.5 * x * z,
        15**0.5 * x * y,
        5**0.5 * (y * y - (x * x + z * z) / 2),
        15**0.5 * y * z,
    ]
    second.append(15**0.5 * (z * z - x * x) / 2)
    expected = torch.stack([x**0, 3**0.5 * x, 3**0.5 * y, 3**0.5 * z, *second], -1)
    torch.testing.assert_close(solid_harmonics(points(3), 2), expected, atol=1e-13, rtol=0)
    torch.testing.assert_close(
        spherical_harmonics(points(3), 1)[:, 1:], points(3) * (3 / square).sqrt()[:, None]
    )


def test_every_degree_is_scipys():
    """Real harmonics without the Condon-Shortley sign; e3nn's polar axis is y.

    Its (z, x, y) is the usual (x, y, z).
    """
    direction = points(3) / points(3).norm(dim=1, keepdim=True)
    x, y, z = direction.T.numpy()
    polar, azimuth = np.arccos(y), np.arctan2(x, z)
    columns = []
    for l in range(12):
        for m in range(-l, l + 1):
            value = sph_harm_y(l, abs(m), polar, azimuth)
            columns.append(
                value.real if m == 0 else 2**0.5 * (-1) ** m * (value.real if m > 0 else value.imag)
            )
    expected = (4 * np.pi) ** 0.5 * np.stack(columns, -1)
    np.testing.assert_allclose(spherical_harmonics(points(3), 11).numpy(), expected, atol=1e-11)


@pytest.mark.parametrize("normalize", [True, False])
def test_space_has_those_of_e3nn(normalize):
    x = points(3, 50)
    ours = spherical_harmonics if normalize else solid_harmonics
    theirs = o3.spherical_harmonics(list(range(12)), x, normalize, normalization="component")
    length = 1 if normalize else x.norm(dim=1, keepdim=True)
    for l, (value, expected) in enumerate(
        zip(parts(ours(x, 11), 3), parts(theirs, 3), strict=True)
    ):
        torch.testing.assert_close(value / length**l, expected / length**l, atol=1e-13, rtol=0)


def test_high_degrees_keep_their_digits():
    x, y = (p / p.norm(dim=1, keepdim=True) for p in (points(3), points(3, seed=1)))
    sums = (parts(spherical_harmonics(p, 60), 3)[60] for p in (x, y))
    expected = 121 * eval_legendre(60, (x * y).sum(1).numpy())
    np.testing.assert_allclose(math.prod(sums).sum(1).numpy(), expected, atol=1e-10)


@pytest.mark.parametrize("dim", DIMENSIONS)
@pytest.mark.parametrize("function", [solid_harmonics, spherical_harmonics])
def test_the_compiler_takes_them_whole(dim, function):
    compiled = torch.compile(function, fullgraph=True, dynamic=True, backend="aot_eager")
    x, twin = points(dim).requires_grad_(), points(dim).requires_grad_()
    values = compiled(x, 3), function(twin, 3)
    torch.testing.assert_close(*values, atol=1e-13, rtol=1e-13)
    for side, value in zip((x, twin), values, strict=True):
        value.square().sum().backward()
        assert side.grad.isfinite().all()
    torch.testing.assert_close(x.grad, twin.grad, atol=1e-11, rtol=1e-11)


def test_the_plane_has_cosines_and_sines():
    x = points(2)
    radius, angle = x.norm(dim=1), torch.atan2(x[:, 1], x[:, 0])
    columns = [torch.ones_like(radius)]
    for k in range(1, 7):
        columns += [2**0.5 * torch.cos(k * angle), 2**0.5 * torch.sin(k * angle)]
    expected = torch.stack(columns, -1)
    powers = torch.tensor([0, *(k for k in range(1, 7) for _ in range(2))])
    torch.testing.assert_close(spherical_harmonics(x, 6), expected, atol=1e-13, rtol=0)
    torch.testing.assert_close(
        solid_harmonics(x, 6), expected * radius[:, None] ** powers, atol=1e-12, rtol=1e-12
    )


@pytest.mark.parametrize("dim", DIMENSIONS)
def test_solid_harmonics_are_homogeneous(dim):
    x = points(dim)
    for l, (once, twice) in enumerate(
        zip(
            parts(solid_harmonics(x, 6), dim), parts(solid_harmonics(-2.5 * x, 6), dim), strict=True
        )
    ):
        torch.testing.assert_close(twice, (-2.5) ** l * once, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dim", DIMENSIONS)
def test_solid_harmonics_have_no_laplacian(dim):
    for x in points(dim, 3):
        for column in range(1, 2 * 5 + 1 if dim == 2 else 36):
            second = hessian(lambda p, c=column: solid_harmonics(p, 5)[c], x)
            assert abs(second.trace()) < 1e-10 * max(1, second.abs().max())


@pytest.mark.parametrize("dim", DIMENSIONS)
def test_the_addition_theorem(dim):
    """Y_l(x).Y_l(y) = (2l+1) P_l(cos), or 2 cos k t in the plane.

    Of norm 1 a component, and unmoved by rotations.
    """
    x, y = (p / p.norm(dim=1, keepdim=True) for p in (points(dim), points(dim, seed=1)))
    cosine = (x * y).sum(1).numpy()
    for g in (torch.eye(dim, dtype=torch.float64), turned(dim), -turned(dim, 1)):
        pairs = zip(
            *(parts(spherical_harmonics(p @ g.T, 8), dim) for p in (3 * x, 0.2 * y)), strict=True
        )
        for l, (a, b) in enumerate(pairs):
            in_plane = np.cos(l * np.arccos(cosine)) * (2 if l else 1)
            expected = in_plane if dim == 2 else (2 * l + 1) * eval_legendre(l, cosine)
            np.testing.assert_allclose((a * b).sum(1).numpy(), expected, atol=1e-11)


@pytest.mark.parametrize("dim", DIMENSIONS)
@pytest.mark.parametrize("function", [solid_harmonics, spherical_harmonics])
def test_at_zero_only_degree_zero_is_left(dim, function):
    zero = torch.zeros(dim, dtype=torch.float64)
    expected = torch.zeros(9 if dim == 3 else 5, dtype=torch.float64)
    expected[0] = 1
    torch.testing.assert_close(function(zero, 2), expected)
    assert jacobian(lambda x: function(x, 3), zero).isfinite().all()
    assert hessian(lambda x: function(x, 3).sum(), zero).isfinite().all()


@pytest.mark.parametrize("dim", DIMENSIONS)
def test_spherical_harmonics_have_no_derivatives_at_zero(dim):
    zero = torch.zeros(dim, dtype=torch.float64)
    assert (jacobian(lambda x: spherical_harmonics(x, 3), zero) == 0).all()
    assert (hessian(lambda x: spherical_harmonics(x, 3).sum(), zero) == 0).all()


@pytest.mark.parametrize("dim", DIMENSIONS)
def test_solid_harmonics_are_smooth_everywhere(dim):
    x = torch.cat(
        [torch.zeros(1, dim, dtype=torch.float64), 1e-4 * points(dim, 1), points(dim, 2)]
    ).requires_grad_()
    assert gradcheck(lambda p: solid_harmonics(p, 4), x)
    assert gradgradcheck(lambda p: solid_harmonics(p, 4), x)


@pytest.mark.parametrize("dim", DIMENSIONS)
def test_spherical_harmonics_are_smooth_outside_zero(dim):
    x = torch.cat([0.05 * points(dim, 1), points(dim, 2)]).requires_grad_()
    assert gradcheck(lambda p: spherical_harmonics(p, 4), x)
    assert gradgradcheck(lambda p: spherical_harmonics(p, 4), x)


@pytest.mark.parametrize("dim", DIMENSIONS)
@pytest.mark.parametrize("function", [solid_harmonics, spherical_harmonics])
def test_shapes_and_precision(dim, function):
    size = 16 if dim == 3 else 7
    assert function(torch.zeros(0, dim), 3).shape == (0, size)
    assert function(points(dim, 6).view(2, 3, dim), 3).shape == (2, 3, size)
    assert function(points(dim), 0).tolist() == [[1.0]] * 6
    single = function(points(dim).float(), 3)
    assert single.dtype == torch.float32
    torch.testing.assert_close(single, function(points(dim), 3).float(), atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize(
    ("x", "degree", "text"),
    [
        (torch.zeros(5, 4), 2, r"2 or 3 coordinates; got shape \(5, 4\)"),
        (torch.zeros(5, 1), 2, r"2 or 3 coordinates; got shape \(5, 1\)"),
    ],
)
def test_what_has_no_harmonics(x, degree, text):
    with pytest.raises(ValueError, match=text):
        solid_harmonics(x, degree)


@pytest.mark.parametrize("dim", DIMENSIONS)
def test_whole_numbers_are_no_reason_to_round(dim):
    """Points of an integer dtype: the right harmonics or an error, but not sqrt(2) cut to 1."""
    x = torch.arange(1, dim + 1)
    try:
        value = solid_harmonics(x, 2)
    except ValueError:
        return
    torch.testing.assert_close(value.double(), solid_harmonics(x.double(), 2), atol=1e-5, rtol=1e-5)
