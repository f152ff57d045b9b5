"""Wigner matrices: tabulated values, our harmonics, irreps of O(3), random rotations."""

import math

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from steerable.functions import spherical_harmonics
from steerable.functions.wigner import (
    euler_angles,
    euler_rotation,
    real_basis,
    swap,
    wigner_d,
    wigner_matrix,
)
from steerable.groups import O3, irrep

THIRD = math.pi / 3


def double(*values):
    return tuple(torch.tensor(value, dtype=torch.float64) for value in values)


def orthogonal(count, seed=0):
    """Random orthogonal matrices, half of them with a reflection, and the special ones.

    Poles kept and exchanged.
    """
    draws = torch.from_numpy(np.random.default_rng(seed).normal(size=(count, 3, 3)))
    special = torch.tensor(
        [[1.0, 1, 1], [-1, -1, -1], [1, -1, -1], [-1, 1, -1], [1, -1, 1]], dtype=torch.float64
    )
    sign = 1 - 2 * (torch.arange(count) % 2)[:, None, None]
    return torch.cat([sign * torch.linalg.qr(draws)[0], torch.diag_embed(special)])


@pytest.mark.parametrize(
    ("l", "m", "n", "beta", "expected"),
    [
        (1, 1, 0, THIRD, -(6**0.5) / 4),
        (1, 1, 1, THIRD, 3 / 4),
        (1, 1, -1, THIRD, 1 / 4),
        (2, 2, 1, THIRD, -3 * 3**0.5 / 8),
        (2, 1, -1, THIRD, 1 / 2),
        (2, 0, 0, THIRD, -1 / 8),
        (2, 2, -2, THIRD, 1 / 16),
        (2, 2, 0, THIRD, 3 * 6**0.5 / 16),
        (3, 2, -1, THIRD, -5 * 30**0.5 / 64),
        (10, 3, -2, 0.7, -0.330838557859243268),
        (50, 20, -15, 1.1, 0.0922105182943177065),
        (128, 64, -63, 1.3, -0.0723053597121829243),
        (20, 20, 0, 0.5, 1.45720717312264294e-7),
        (64, 0, 0, 2.0, -0.0865813877750375444),
    ],
)
def test_tabulated_values(l, m, n, beta, expected):
    (angle,) = double(beta)
    assert wigner_d(l, angle)[m + l, n + l].item() == pytest.approx(expected, abs=1e-14)
    assert wigner_d(l, angle, [n])[m + l, 0].item() == pytest.approx(expected, abs=1e-14)
    assert wigner_d(l, angle.float())[m + l, n + l].item() == pytest.approx(expected, abs=1e-6)


def test_d_is_a_one_parameter_group():
    a, b = double(0.7, 1.9)
    for l in (0, 1, 6, 40):
        torch.testing.assert_close(
            wigner_d(l, a) @ wigner_d(l, b), wigner_d(l, a + b), atol=1e-13, rtol=0
        )


def test_real_matrices_written_out():
    rotation = euler_rotation(*double(0.3, 1.1, -0.7))
    rows = [
        [0.817036982, 0.2633697832, -0.5129200009],
        [-0.5741315443, 0.4535961214, -0.6816329866],
    ]
    rows.append([0.0531369911, 0.8514029104, 0.5218137065])
    torch.testing.assert_close(wigner_matrix(1, rotation), *double(rows), atol=1e-9, rtol=0)
    first = [0.3990860704, 0.7096223422, 0.3883843343, -0.2992716188, -0.3110635736]
    torch.testing.assert_close(wigner_matrix(2, rotation)[0], *double(first), atol=1e-9, rtol=0)
    traces = [1, 1.792446809905, 0.420418756432, -1.459287307546, -1.576826328031]
    for l, trace in enumerate(traces):
        assert wigner_matrix(l, rotation).trace().item() == pytest.approx(trace, abs=1e-11)


@pytest.mark.parametrize("l", range(8))
def test_they_turn_the_harmonics(l):
    x = torch.from_numpy(np.random.default_rng(1).normal(size=(5, 3)))
    rotation = orthogonal(8)
    turned = spherical_harmonics(x @ rotation.mT, l)[..., l * l :]
    expected = spherical_harmonics(x, l)[..., l * l :] @ wigner_matrix(l, rotation).mT
    torch.testing.assert_close(turned, expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("l", [0, 1, 2, 5])
def test_they_are_the_irreps_of_o3(l):
    rotation = orthogonal(8)
    expected = irrep(O3(), f"{l}{'o' if l % 2 else 'e'}").matrix(rotation)
    torch.testing.assert_close(wigner_matrix(l, rotation), expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("l", [1, 7, 60])
def test_homomorphism_and_orthogonality(l):
    a, b = orthogonal(4), orthogonal(4, seed=1)
    product = wigner_matrix(l, a) @ wigner_matrix(l, b)
    torch.testing.assert_close(product, wigner_matrix(l, a @ b), atol=1e-12, rtol=0)
    identity = torch.eye(2 * l + 1, dtype=torch.float64).expand_as(product)
    torch.testing.assert_close(product @ product.mT, identity, atol=1e-13, rtol=0)


def test_angles_and_rotations():
    alpha, beta, gamma = double([0.3, -2.0, 1.0], [1.1, 0.2, 3.0], [-0.7, 2.5, 0.0])
    rotation = euler_rotation(alpha, beta, gamma)
    for found, expected in zip(euler_angles(rotation), (alpha, beta, gamma), strict=True):
        torch.testing.assert_close(found, expected, atol=1e-14, rtol=0)
    pole = torch.stack([beta.sin() * alpha.sin(), beta.cos(), beta.sin() * alpha.cos()], -1)
    torch.testing.assert_close(rotation[..., 1], pole, atol=1e-15, rtol=0)
    for special in orthogonal(0)[[0, 2, 3]]:
        torch.testing.assert_close(
            euler_rotation(*euler_angles(special)), special, atol=1e-15, rtol=0
        )


def test_the_swap_exchanges_two_axes():
    exchange = torch.tensor([[0.0, 1, 0], [1, 0, 0], [0, 0, -1]], dtype=torch.float64)
    for l in (0, 1, 2, 9):
        torch.testing.assert_close(swap(l), wigner_matrix(l, exchange), atol=1e-14, rtol=0)
        torch.testing.assert_close(swap(l), swap(l).T, atol=1e-15, rtol=0)
    identity = torch.eye(101, dtype=torch.complex128)
    torch.testing.assert_close(real_basis(50) @ real_basis(50).mH, identity, atol=1e-15, rtol=0)


@pytest.mark.parametrize("start", [0, 8, 10])
def test_smooth_in_the_rotation_even_where_angles_are_not(start):
    """Starting at a generic rotation, at the identity, and at a half turn.

    The half turn exchanges the poles.
    """
    fixed = orthogonal(8)[start]

    def turned(v):
        zero = torch.zeros_like(v[0])
        skew = torch.stack([zero, -v[2], v[1], v[2], zero, -v[0], -v[1], v[0], zero]).view(3, 3)
        return wigner_matrix(2, torch.linalg.matrix_exp(skew) @ fixed)

    v = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    assert gradcheck(turned, v)
    assert gradgradcheck(turned, v)
    assert gradcheck(lambda beta: wigner_d(3, beta), double(0.4)[0].requires_grad_())


def test_precision_and_empty_batches():
    rotation = orthogonal(20)
    single = wigner_matrix(10, rotation.float())
    assert single.dtype == torch.float32
    torch.testing.assert_close(single, wigner_matrix(10, rotation).float(), atol=2e-5, rtol=0)
    assert wigner_matrix(2, rotation[:0]).shape == (0, 5, 5)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: wigner_matrix(1, 2 * torch.eye(3)),
            "orthogonal matrices; these differ from that by 3.0e",
        ),
        (lambda: wigner_matrix(1, torch.full((3, 3), math.nan)), "orthogonal matrices"),
        (lambda: wigner_matrix(1, torch.eye(2)), r"\(\.\.\., 3, 3\); got torch.float32 \(2, 2\)"),
        (lambda: wigner_matrix(1, torch.eye(3, dtype=torch.int64)), "got torch.int64"),
        (
            lambda: wigner_d(2, torch.zeros(1), [-3]),
            r"orders -l to l; got degree 2 and orders \[-3\]",
        ),
        (lambda: wigner_d(-1, torch.zeros(1)), "got degree -1"),
    ],
)
def test_what_has_no_matrix(call, text):
    with pytest.raises(ValueError, match=text):
        call()
