"""Transforms at any points.

Exact on Lebedev's, exact and best by least squares on scattered ones.
"""

import math

import pytest
import torch
from torch.autograd import gradcheck

from steerable.functions import spherical_harmonics
from steerable.functions.points import PointTransform
from steerable.functions.quadrature import lebedev
from steerable.functions.rings import PrecisionWarning
from steerable.functions.wigner import wigner_matrix


def scattered(count, seed=0):
    return torch.randn(count, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def coefficients(degree, batch=2):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(batch, (degree + 1) ** 2, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize(("degree", "count"), [(0, 6), (1, 6), (3, 26), (6, 86), (20, 590)])
def test_lebedev_is_exact(degree, count):
    transform, c = PointTransform.lebedev(degree).double(), coefficients(degree)
    samples = transform.synthesis(c)
    assert samples.shape == (2, count)
    torch.testing.assert_close(transform.analysis(samples), c, atol=3e-14, rtol=0)


def test_octahedral_rotations_permute_lebedevs_points():
    """So that anything done point by point commutes with them: here the absolute value."""
    transform, c = PointTransform.lebedev(3).double(), coefficients(3, 1)[0]
    quarter = torch.tensor([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]], dtype=torch.float64)

    def turned(x):
        return torch.cat([wigner_matrix(l, quarter) @ x[l * l : (l + 1) ** 2] for l in range(4)])

    def absolute(x):
        return transform.analysis(transform.synthesis(x).abs())

    torch.testing.assert_close(absolute(turned(c)), turned(absolute(c)), atol=2e-14, rtol=0)


def test_scattered_points_give_back_what_they_can_hold():
    x = scattered(150)
    transform, c = PointTransform(x, 6).double(), coefficients(6)
    samples = transform.synthesis(c)
    torch.testing.assert_close(samples, c @ spherical_harmonics(x, 6).T, atol=1e-13, rtol=0)
    torch.testing.assert_close(transform.analysis(samples), c, atol=1e-13, rtol=0)
    exactly = PointTransform(scattered(49), 6).double()
    torch.testing.assert_close(
        exactly.analysis(exactly.synthesis(c)), c, atol=1e-14 * exactly.condition, rtol=0
    )


def test_the_fit_is_the_best():
    transform = PointTransform(scattered(80), 4).double()
    samples = scattered(80, seed=2)[:, 0]
    left = samples - transform.synthesis(transform.analysis(samples))
    values = spherical_harmonics(scattered(80), 4)
    assert (values.T @ left).abs().max() < 1e-12
    expected = torch.linalg.lstsq(values, samples[:, None]).solution[:, 0]
    torch.testing.assert_close(transform.analysis(samples), expected, atol=1e-13, rtol=0)


def test_precision_derivatives_and_shapes():
    transform = PointTransform(scattered(60), 3)
    samples = torch.randn(2, 3, 60, generator=torch.Generator().manual_seed(3))
    single = transform.analysis(samples)
    assert single.dtype == torch.float32 and transform.state_dict() == {}
    transform.double()
    torch.testing.assert_close(
        single.double(), transform.analysis(samples.double()), atol=2e-6, rtol=0
    )
    assert gradcheck(transform.analysis, samples[0].double().requires_grad_())
    assert transform.synthesis(transform.analysis(samples.double()[:0])).shape == (0, 3, 60)
    compiled = torch.compile(transform.analysis, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(
        compiled(samples.double()), transform.analysis(samples.double()), atol=1e-14, rtol=0
    )


def test_a_poor_fit_in_float32_warns():
    cap = scattered(400) * torch.tensor([0.2, 0.0, 0.2], dtype=torch.float64) + torch.tensor(
        [0.0, 1, 0]
    )
    transform = PointTransform(cap, 3)
    assert 1e3 < transform.condition < 1e8
    with pytest.warns(PrecisionWarning, match="in torch.float32 expect errors of"):
        transform.analysis(torch.zeros(400))
    c = coefficients(3)
    transform.double()
    torch.testing.assert_close(
        transform.analysis(transform.synthesis(c)), c, atol=1e-14 * transform.condition, rtol=0
    )


def holed(row):
    x = scattered(9)
    x[4] = torch.tensor(row, dtype=torch.float64)
    return x


def beyond():
    """Points and weights that carry degree 3, and a degree more."""
    points, weights = lebedev(6)
    return torch.from_numpy(points), 4, torch.from_numpy(weights)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: PointTransform(holed([0.0, 0, 0]), 1),
            r"Point 4 is at the origin, .* \(1 in all\)",
        ),
        (lambda: PointTransform(holed([0.0, math.nan, 0]), 1), "point 4 is not"),
        (lambda: PointTransform(scattered(9).T, 1), r"\(point, 3\); got shape \(3, 9\)"),
        (
            lambda: PointTransform(scattered(8), 2),
            "9 coefficients need at least as many points; got 8",
        ),
        (
            lambda: PointTransform(scattered(1).expand(20, 3), 2),
            "20 points leave some of the 9 coefficients open",
        ),
        (
            lambda: PointTransform(scattered(9), 1, torch.ones(8)),
            r"\(9,\), one a point; got \(8,\)",
        ),
        (
            lambda: PointTransform(scattered(9), 1, torch.full((9,), math.nan)),
            "Weights are finite numbers",
        ),
        (lambda: PointTransform(*beyond()), "products of two signals of degree 4 with errors of"),
        (lambda: PointTransform.lebedev(66), "up to degree 131; got 132"),
        (
            lambda: PointTransform(scattered(9), 1).analysis(torch.zeros(8)),
            r"samples \(\.\.\., 9\); got shape \(8,\)",
        ),
        (
            lambda: PointTransform(scattered(9), 1).analysis(torch.full((9,), math.nan)),
            "needs finite samples",
        ),
        (
            lambda: PointTransform(scattered(9), 1).synthesis(torch.zeros(5)),
            "expects 4 coefficients",
        ),
    ],
)
def test_what_has_no_transform(call, text):
    with pytest.raises(ValueError, match=text):
        call()
