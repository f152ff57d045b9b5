"""HEALPix against sums over harmonics at its points; what corrections leave of a round trip."""

import math

import pytest
import torch
from torch.autograd import gradcheck

from steerable.functions import spherical_harmonics
from steerable.functions.healpix import HealpixTransform
from steerable.functions.quadrature import healpix_rings


def points(nside):
    found = []
    for polar, count, offset in zip(*healpix_rings(nside), strict=True):
        azimuth = 2 * math.pi * (torch.arange(count, dtype=torch.float64) + float(offset)) / count
        height = torch.full_like(azimuth, math.cos(polar))
        found.append(
            torch.stack(
                [math.sin(polar) * azimuth.sin(), height, math.sin(polar) * azimuth.cos()], -1
            )
        )
    return torch.cat(found)


@pytest.mark.parametrize(("nside", "degree"), [(1, 2), (2, 4), (4, 5), (5, 10)])
def test_synthesis_is_the_sum_of_harmonics_and_analysis_its_transpose(nside, degree):
    transform = HealpixTransform(nside, degree, iterations=0).double()
    values = spherical_harmonics(points(nside), degree)
    identity = torch.eye(len(values.T), dtype=torch.float64)
    torch.testing.assert_close(transform.synthesis(identity), values.T, atol=1e-12, rtol=0)
    samples = torch.randn(
        3, len(values), generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )
    torch.testing.assert_close(
        transform.analysis(samples), samples @ values / len(values), atol=1e-13, rtol=0
    )


@pytest.mark.parametrize(
    ("degree", "iterations", "expected"), [(15, 0, 2.6e-3), (15, 3, 5.9e-8), (31, 3, 9.5e-6)]
)
def test_corrections_converge(degree, iterations, expected):
    """The root mean square error over all signals of variance 1."""
    transform = HealpixTransform(16, degree, iterations).double()
    identity = torch.eye(transform.layout.size, dtype=torch.float64)
    error = transform.analysis(transform.synthesis(identity)) - identity
    assert float(error.norm() / (degree + 1)) == pytest.approx(expected, rel=0.02)


def test_derivatives_precision_and_shapes():
    transform = HealpixTransform(2, 3, 1)
    samples = torch.randn(2, 3, 48, generator=torch.Generator().manual_seed(3))
    single = transform.analysis(samples)
    transform.double()
    torch.testing.assert_close(
        single.double(), transform.analysis(samples.double()), atol=2e-6, rtol=0
    )
    assert transform.synthesis(transform.analysis(samples.double()[:0])).shape == (0, 3, 48)
    assert gradcheck(transform.analysis, samples[0, :1].double().requires_grad_())
    assert gradcheck(transform.synthesis, single[0, :1].double().requires_grad_())
    compiled = torch.compile(transform.analysis, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(
        compiled(samples.double()), transform.analysis(samples.double()), atol=1e-14, rtol=0
    )


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: HealpixTransform(2, 5), "nside 2 carries degrees up to 4; got 5"),
        (lambda: HealpixTransform(2, 4, -1), "0 or more corrections; got iterations=-1"),
        (lambda: HealpixTransform(0, 0), "HEALPix needs at least 1"),
        (
            lambda: HealpixTransform(1, 1).analysis(torch.full((12,), math.nan)),
            "needs finite samples",
        ),
        (
            lambda: HealpixTransform(1, 1).analysis(torch.zeros(13)),
            r"samples \(\.\.\., 12\); got \(13,\)",
        ),
    ],
)
def test_what_has_no_transform(call, text):
    with pytest.raises(ValueError, match=text):
        call()
