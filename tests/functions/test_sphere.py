"""The Fourier transform on the sphere.

Against sums over harmonics, and its round trips at the degrees asked for.
"""

import math

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from oracles.coefficients import coefficients, round_trip
from steerable.functions import spherical_harmonics
from steerable.functions.sphere import SphereGrid, SphereTransform
from steerable.functions.wigner import wigner_matrix

RULES = ["gauss", "fejer", "clenshaw-curtis"]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("degree", [0, 1, 4, 20])
def test_synthesis_is_the_sum_of_harmonics_and_analysis_its_inverse(rule, degree):
    transform = SphereTransform(degree, SphereGrid.resolving(degree, rule)).double()
    assert transform.dense == (degree < 20)
    c = coefficients(degree)
    samples = transform.synthesis(c)
    values = spherical_harmonics(transform.grid.points(), degree)
    torch.testing.assert_close(samples, torch.einsum("rlk,bk->brl", values, c), atol=1e-12, rtol=0)
    torch.testing.assert_close(transform.analysis(samples), c, atol=2e-14, rtol=0)
    weights = transform.grid.weights[:, None] / transform.grid.longitudes
    torch.testing.assert_close(
        (weights * samples**2).sum((1, 2)), c.square().sum(1), rtol=1e-14, atol=0
    )


@pytest.mark.parametrize(
    ("degree", "rule", "exact", "single"),
    [
        (7, "fejer", 1e-14, 1e-6),
        (31, "fejer", 5e-14, 1e-6),
        (63, "fejer", 1e-13, 2e-6),
        (63, "gauss", 1e-13, 2e-6),
        (63, "clenshaw-curtis", 1e-13, 2e-6),
        (255, "gauss", 5e-13, 4e-6),
    ],
)
def test_round_trips(degree, rule, exact, single):
    transform = SphereTransform(degree, SphereGrid.resolving(degree, rule))
    assert round_trip(transform, dtype=torch.float32) <= single
    assert round_trip(transform.double()) <= exact


def test_a_grid_that_carries_more_than_is_asked():
    """Higher degrees that the grid resolves do not alias into the lower ones."""
    grid = SphereGrid.resolving(12)
    fine, coarse = SphereTransform(12, grid).double(), SphereTransform(5, grid).double()
    c = coefficients(12)
    torch.testing.assert_close(coarse.analysis(fine.synthesis(c)), c[:, :36], atol=1e-14, rtol=0)
    torch.testing.assert_close(
        coarse.synthesis(c[:, :36]),
        fine.synthesis(c * (torch.arange(169) < 36)),
        atol=1e-13,
        rtol=0,
    )


def test_rotated_samples_have_rotated_coefficients():
    """f(R^-1 x) for random rotations and reflections."""
    transform, c = SphereTransform(6).double(), coefficients(6, 1)[0]
    for seed in range(3):
        generator = torch.Generator().manual_seed(seed)
        rotation = (-1) ** seed * torch.linalg.qr(
            torch.randn(3, 3, generator=generator, dtype=torch.float64)
        )[0]
        samples = spherical_harmonics(transform.grid.points() @ rotation, 6) @ c
        turned = torch.cat([wigner_matrix(l, rotation) @ c[l * l : (l + 1) ** 2] for l in range(7)])
        torch.testing.assert_close(transform.analysis(samples), turned, atol=1e-12, rtol=0)


def test_the_addition_theorem_and_the_mean():
    transform = SphereTransform(8).double()
    samples = torch.full((9, transform.grid.longitudes), 3.0, dtype=torch.float64)
    expected = torch.zeros(81, dtype=torch.float64)
    expected[0] = 3
    torch.testing.assert_close(transform.analysis(samples), expected, atol=1e-14, rtol=0)
    p, q = (x / x.norm() for x in torch.tensor([[1.0, 2, 3], [-2, 1, 0.5]], dtype=torch.float64))
    product = (spherical_harmonics(p, 8) * spherical_harmonics(q, 8)).split(
        [2 * l + 1 for l in range(9)]
    )
    legendre = [1, p @ q]
    for l in range(1, 8):
        legendre.append(((2 * l + 1) * (p @ q) * legendre[l] - l * legendre[l - 1]) / (l + 1))
    for l, part in enumerate(product):
        assert part.sum().item() == pytest.approx((2 * l + 1) * float(legendre[l]), abs=1e-14)


def test_grids_written_out():
    grid = SphereGrid("clenshaw-curtis", 3, 4)
    equator = [[0.0, 0, 1], [1, 0, 0], [0, 0, -1], [-1, 0, 0]]
    expected = torch.tensor([[[0.0, 1, 0]] * 4, equator, [[0.0, -1, 0]] * 4], dtype=torch.float64)
    torch.testing.assert_close(grid.points(), expected, atol=1e-15, rtol=0)
    south, east = grid.frames()
    torch.testing.assert_close(
        south[1], torch.tensor([[0.0, -1, 0]] * 4, dtype=torch.float64), atol=1e-15, rtol=0
    )
    torch.testing.assert_close(
        east[1, :2],
        torch.tensor([[1.0, 0, 0], [0, 0, -1]], dtype=torch.float64),
        atol=1e-15,
        rtol=0,
    )
    torch.testing.assert_close(torch.linalg.cross(grid.points(), east), -south, atol=1e-15, rtol=0)
    assert [SphereGrid.resolving(15, rule).max_degree for rule in RULES] == [15] * 3
    assert [SphereGrid.resolving(0, rule).max_degree for rule in RULES] == [0] * 3
    assert (
        SphereGrid("gauss", 16, 30).max_degree == 14
        and SphereGrid("clenshaw-curtis", 73, 144).max_degree == 36
    )


@pytest.mark.parametrize("degree", [3, 18])
def test_batches_empty_and_one_by_one(degree):
    transform, c = SphereTransform(degree).double(), coefficients(degree, 6).view(2, 3, -1)
    samples = transform.synthesis(c)
    torch.testing.assert_close(samples[1, 2], transform.synthesis(c[1, 2]), atol=1e-13, rtol=0)
    torch.testing.assert_close(
        transform.analysis(samples)[1, 2], transform.analysis(samples[1, 2]), atol=1e-14, rtol=0
    )
    assert transform.synthesis(c[:0]).shape == (0, 3, *transform.shape)
    assert transform.analysis(samples[:, :0]).shape == (2, 0, (degree + 1) ** 2)


@pytest.mark.parametrize("dense", [0, 2**18])
def test_derivatives(monkeypatch, dense):
    monkeypatch.setattr(SphereTransform, "_dense_entries", dense)
    transform = SphereTransform(2).double()
    samples = transform.synthesis(coefficients(2)).requires_grad_()
    c = coefficients(2).requires_grad_()
    for function, x in ((transform.analysis, samples), (transform.synthesis, c)):
        assert gradcheck(function, x)
        assert gradgradcheck(lambda x, f=function: f(x).square(), x)


@pytest.mark.parametrize("degree", [4, 20])
def test_the_compiler_takes_it_whole(degree):
    transform = SphereTransform(degree).double()

    def both(c):
        return transform.analysis(transform.synthesis(c).tanh())

    compiled = torch.compile(both, fullgraph=True, backend="aot_eager")
    c, twin = coefficients(degree).requires_grad_(), coefficients(degree).requires_grad_()
    torch.testing.assert_close(compiled(c), both(twin), atol=1e-13, rtol=0)
    compiled(c).square().sum().backward()
    both(twin).square().sum().backward()
    torch.testing.assert_close(c.grad, twin.grad, atol=1e-12, rtol=0)


def one_bad(value):
    samples = torch.zeros(2, 5, 9)
    samples[1, 3, 4] = value
    return samples


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: SphereTransform(16, SphereGrid("gauss", 16, 64)),
            "needs 17 rings and 33 longitudes .* up to 15",
        ),
        (
            lambda: SphereTransform(16, SphereGrid("gauss", 17, 32)),
            "33 longitudes of a gauss grid; 17 and 32 carry",
        ),
        (lambda: SphereTransform(16, SphereGrid("clenshaw-curtis", 32, 33)), "needs 33 rings"),
        (lambda: SphereTransform(-1, SphereGrid("gauss", 1, 1)), "at least 0; got -1"),
        (lambda: SphereGrid("equal", 4, 4), "gauss or fejer or clenshaw-curtis; got 'equal'"),
        (lambda: SphereGrid("clenshaw-curtis", 1, 4), "at least 2 rings and 1 longitude; got 1, 4"),
        (lambda: SphereGrid("gauss", 4, 0), "got 4, 0"),
        (
            lambda: SphereTransform(4).analysis(one_bad(math.nan)),
            "needs finite samples; got NaN or infinity",
        ),
        (lambda: SphereTransform(4).analysis(one_bad(math.inf)), "needs finite samples"),
        (
            lambda: SphereTransform(4).analysis(torch.zeros(9, 5)),
            r"samples \(\.\.\., 5, 9\); got \(9, 5\)",
        ),
        (lambda: SphereTransform(4).analysis(torch.zeros(9)), r"got \(9,\)"),
        (
            lambda: SphereTransform(4).synthesis(torch.zeros(3, 24)),
            r"expects 25 coefficients .* got shape \(3, 24\)",
        ),
        (
            lambda: SphereTransform(4).synthesis(torch.zeros(25).double()),
            "works in torch.float32 and got torch.float64",
        ),
        (
            lambda: SphereTransform(4).half().synthesis(torch.zeros(25).half()),
            "float32 or float64; .* torch.float16",
        ),
    ],
)
def test_what_has_no_transform(call, text):
    with pytest.raises(ValueError, match=text):
        call()
