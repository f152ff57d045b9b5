"""Points as signals on the sphere: closed forms against quadrature."""

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from steerable.functions.sources import bump_harmonics, coulomb_harmonics
from steerable.functions.sphere import SphereTransform
from steerable.functions.wigner import wigner_matrix

POINTS = torch.tensor(
    [[0.3, 2.0, -1.0], [-4.0, 0.1, 0.5], [0.3, 0.2, -0.1], [0.0, 1.5, 0.0]], dtype=torch.float64
)
RADIUS = 0.9


def test_coulomb_outside_and_inside():
    transform = SphereTransform(60).double()
    where = RADIUS * transform.grid.points()
    samples = 1 / (where - POINTS[:, None, None]).norm(dim=-1)
    expected = transform.analysis(samples)[:, :81]
    torch.testing.assert_close(coulomb_harmonics(POINTS, 8, RADIUS), expected, atol=1e-12, rtol=0)


def test_bumps():
    transform = SphereTransform(40).double()
    direction = POINTS / POINTS.norm(dim=1, keepdim=True)
    samples = (5 * torch.einsum("rli,pi->prl", transform.grid.points(), direction)).exp()
    torch.testing.assert_close(
        bump_harmonics(POINTS, 40, 5.0), transform.analysis(samples), atol=1e-12, rtol=0
    )
    scale = (
        bump_harmonics(POINTS[3:], 3, 5.0)[0]
        / torch.tensor([2 * l + 1 for l in range(4) for _ in range(2 * l + 1)]).sqrt()
    )
    np.testing.assert_allclose(
        scale[[0, 2, 6, 12]], [14.8406, 11.8739, 7.71633, 4.15754], rtol=1e-5
    )


@pytest.mark.parametrize(
    "make", [lambda x: coulomb_harmonics(x, 3, RADIUS), lambda x: bump_harmonics(x, 3, 2.0)]
)
def test_equivariance_derivatives_and_shapes(make):
    for seed in range(4):
        q = (-1) ** seed * torch.linalg.qr(
            torch.randn(3, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        )[0]
        matrix = torch.block_diag(*(wigner_matrix(l, q) for l in range(4)))
        torch.testing.assert_close(make(POINTS @ q.T), make(POINTS) @ matrix.T, atol=1e-13, rtol=0)
    x = POINTS.clone().requires_grad_()
    assert gradcheck(make, x)
    assert gradgradcheck(make, x)
    assert make(POINTS[:0]).shape == (0, 16) and make(POINTS[None]).shape == (1, 4, 16)
    torch.testing.assert_close(make(POINTS.float()), make(POINTS).float(), atol=1e-5, rtol=1e-5)
    compiled = torch.compile(make, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(POINTS), make(POINTS), atol=1e-14, rtol=1e-14)


def test_the_centre_is_a_point_inside():
    centre = coulomb_harmonics(torch.zeros(3, dtype=torch.float64), 2, RADIUS)
    expected = torch.zeros(9, dtype=torch.float64)
    expected[0] = 1 / RADIUS
    torch.testing.assert_close(centre, expected)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: coulomb_harmonics(POINTS, 2, 0.0), "positive; got 0.0"),
        (
            lambda: coulomb_harmonics(POINTS[:, :2], 2, 1.0),
            r"Points are \(\.\.\., 3\); got shape \(4, 2\)",
        ),
        (lambda: coulomb_harmonics(POINTS / 0, 2, 1.0), "Points are finite"),
        (lambda: bump_harmonics(POINTS / 0, 2, 1.0), "Points are finite"),
        (lambda: bump_harmonics(POINTS, 2, float("nan")), "between 0 and 700; got nan"),
        (lambda: bump_harmonics(POINTS, 2, 800.0), "between 0 and 700; got 800"),
        (lambda: coulomb_harmonics(POINTS, 2, 1.5), "lies on the sphere of radius 1.5"),
    ],
)
def test_what_has_no_potential(call, text):
    with pytest.raises(ValueError, match=text):
        call()
