"""Rules on the sphere: tabulated values, exactness up to their degree, high precision."""

import math

import mpmath
import numpy as np
import pytest
from scipy.special import eval_legendre

from steerable.functions.quadrature import (
    clenshaw_curtis,
    fejer,
    gauss_legendre,
    healpix_rings,
    lebedev,
)

RULES = [
    (fejer, lambda n: n - 1),
    (clenshaw_curtis, lambda n: n - 1),
    (gauss_legendre, lambda n: 2 * n - 1),
]


def integral(polar, weights, degree):
    """The integral of P_l over -1 .. 1, by weights that sum to 1."""
    return 2 * weights @ eval_legendre(degree, np.cos(polar))


@pytest.mark.parametrize(
    ("band", "expected"),
    [
        (2, [0.264297739604484, 0.735702260395516]),
        (3, [0.118661021381236, 0.377777777777778, 0.503561200840986]),
        (4, [0.0669829456985698, 0.222987933014579, 0.324152519064524, 0.385876602222307]),
    ],
)
def test_fejer_has_the_weights_of_driscoll_and_healy(band, expected):
    polar, weights = fejer(2 * band)
    np.testing.assert_allclose(2 * weights, expected + expected[::-1], atol=1e-15)
    np.testing.assert_allclose(
        polar, np.pi * (2 * np.arange(2 * band) + 1) / (4 * band), atol=1e-15
    )
    double_sum = [
        2 / band * math.sin(t) * sum(math.sin((2 * k + 1) * t) / (2 * k + 1) for k in range(band))
        for t in polar
    ]
    np.testing.assert_allclose(2 * weights, double_sum, atol=1e-14)


@pytest.mark.parametrize(("band", "expected"), [(2, 0.0729167), (4, 0.0124686), (8, 0.00219529)])
def test_fejer_is_wrong_where_it_ends(band, expected):
    assert integral(*fejer(2 * band), 2 * band) == pytest.approx(expected, rel=1e-5)


def test_gauss_of_three_rings():
    polar, weights = gauss_legendre(3)
    np.testing.assert_allclose(np.cos(polar), [0.6**0.5, 0, -(0.6**0.5)], atol=1e-15)
    np.testing.assert_allclose(2 * weights, [5 / 9, 8 / 9, 5 / 9], atol=1e-15)


@pytest.mark.parametrize(("rule", "exact"), RULES)
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 16, 33, 64])
def test_rules_are_exact_up_to_their_degree_and_not_beyond(rule, exact, count):
    if rule is clenshaw_curtis and count == 1:
        return
    polar, weights = rule(count)
    assert polar.shape == weights.shape == (count,)
    assert (np.diff(polar) > 0).all() and (weights > 0).all()
    for degree in range(exact(count) + 1):
        assert integral(polar, weights, degree) == pytest.approx(2 * (degree == 0), abs=1e-14)
    beyond = exact(count) + 1
    assert abs(integral(polar, weights, beyond + beyond % 2)) > 1e-7


@pytest.mark.parametrize("count", [16, 65, 256])
def test_gauss_keeps_every_digit(count):
    polar, weights = gauss_legendre(count)
    with mpmath.workdps(60):
        for ring in range(0, count, count // 5):
            height = mpmath.cos(mpmath.mpf(float(polar[ring])))
            for _ in range(3):
                value, before = mpmath.legendre(count, height), mpmath.legendre(count - 1, height)
                slope = count * (height * value - before) / (height**2 - 1)
                height -= value / slope
            exact = 1 / ((1 - height**2) * slope**2)
            assert abs(float(weights[ring] / exact - 1)) < 1e-15
            assert abs(float(mpmath.acos(height) - polar[ring])) < 1e-15


@pytest.mark.parametrize(
    ("degree", "count"), [(0, 6), (3, 6), (4, 14), (7, 26), (34, 434), (131, 5810)]
)
def test_lebedev_takes_the_smallest_rule(degree, count):
    points, weights = lebedev(degree)
    assert points.shape == (count, 3) and weights.shape == (count,)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1, atol=1e-14)
    axis = np.array([1.0, 2.0, 3.0]) / 14**0.5
    for l in range(degree + 1):
        assert weights @ eval_legendre(l, points @ axis) == pytest.approx(float(l == 0), abs=1e-13)


@pytest.mark.parametrize("nside", [1, 2, 5, 16])
def test_healpix_has_the_published_rings(nside):
    polar, counts, offsets = healpix_rings(nside)
    assert counts.sum() == 12 * nside**2 and len(polar) == 4 * nside - 1
    for ring in range(1, 4 * nside):
        north = ring < nside
        south = ring > 3 * nside
        cap = ring if north else 4 * nside - ring
        height = 1 - cap**2 / (3 * nside**2) if north or south else 4 / 3 - 2 * ring / (3 * nside)
        assert math.cos(polar[ring - 1]) == pytest.approx(-height if south else height, abs=1e-14)
        shifted = north or south or (ring - nside) % 2 == 0
        assert offsets[ring - 1] == (0.5 if shifted else 0)
        assert counts[ring - 1] == (4 * cap if north or south else 4 * nside)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: fejer(0), "at least 1 of them; got 0"),
        (lambda: clenshaw_curtis(1), "at least 2 of them; got 1"),
        (lambda: gauss_legendre(-1), "at least 1 of them; got -1"),
        (lambda: healpix_rings(0), "HEALPix needs at least 1"),
        (lambda: lebedev(132), "up to degree 131; got 132"),
    ],
)
def test_what_is_no_rule(make, text):
    with pytest.raises(ValueError, match=text):
        make()
