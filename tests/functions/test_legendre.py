"""Legendre functions against our harmonics, scipy, and their sum of squares."""

import math

import numpy as np
import torch
from scipy.special import sph_harm_y
from torch.autograd import gradcheck, gradgradcheck

from steerable.functions import spherical_harmonics
from steerable.functions.legendre import legendre

POLAR = torch.tensor([0.0, 1e-3, 0.4, 1.2, 2.9, math.pi], dtype=torch.float64)


def test_they_make_the_harmonics():
    azimuth = torch.tensor(0.83, dtype=torch.float64)
    point = torch.stack([POLAR.sin() * azimuth.sin(), POLAR.cos(), POLAR.sin() * azimuth.cos()], -1)
    expected, functions = spherical_harmonics(point, 12), legendre(POLAR, 12)
    for l in range(13):
        for m in range(l + 1):
            factor = 2**0.5 if m else 1
            for order, wave in ((m, torch.cos(m * azimuth)), (-m, torch.sin(m * azimuth)))[
                : 2 if m else 1
            ]:
                value = factor * functions[m, l] * wave
                torch.testing.assert_close(
                    value, expected[:, l * l + l + order], atol=1e-13, rtol=0
                )


def test_high_degrees_are_scipys():
    functions = legendre(POLAR, 150)
    for l, m in ((150, 0), (150, 3), (150, 75), (150, 150), (101, 100)):
        expected = (-1) ** m * (4 * np.pi) ** 0.5 * sph_harm_y(l, m, POLAR.numpy(), 0.0).real
        np.testing.assert_allclose(functions[m, l].numpy(), expected, atol=1e-11)


def test_squares_sum_to_the_dimension():
    functions = legendre(POLAR, 300)
    sums = 2 * functions.square().sum(0) - functions[0].square()
    dimension = 2 * torch.arange(301, dtype=torch.float64)[:, None] + 1
    torch.testing.assert_close(sums / dimension, torch.ones_like(sums), atol=1e-11, rtol=0)


def test_shapes_precision_and_derivatives():
    assert legendre(torch.zeros(2, 0), 3).shape == (4, 4, 2, 0)
    assert legendre(POLAR, 0).tolist() == [[[1.0] * 6]]
    single = legendre(POLAR.float(), 20)
    assert single.dtype == torch.float32
    torch.testing.assert_close(single, legendre(POLAR, 20).float(), atol=1e-4, rtol=1e-4)
    assert legendre(POLAR, 6)[3, :3].eq(0).all()
    inner = POLAR[2:4].clone().requires_grad_()
    assert gradcheck(lambda t: legendre(t, 4), inner)
    assert gradgradcheck(lambda t: legendre(t, 4), inner)
