"""Radial bases and cutoffs against closed forms.

Also their derivatives at zero and at the cutoff.
"""

import numpy as np
import pytest
import torch
from scipy.special import spherical_jn
from torch.autograd import gradcheck, gradgradcheck
from torch.autograd.functional import hessian, jacobian

from steerable.functions import bessel, cosine_cutoff, even_gaussian, polynomial_cutoff, safe_norm

CUTOFF = 2.5


def derivatives(function, r, count):
    """Value and derivatives of a function of one number."""
    x = torch.tensor(r, dtype=torch.float64, requires_grad=True)
    value = function(x)
    found = [value.item()]
    for _ in range(count):
        (value,) = torch.autograd.grad(value, x, create_graph=True)
        found.append(value.item())
    return found


def test_the_norm():
    x = torch.tensor([[3.0, -4.0, 0.0], [0.0, 0.0, 0.0], [1e-9, 0.0, 0.0]], dtype=torch.float64)
    torch.testing.assert_close(safe_norm(x), torch.tensor([5.0, 0.0, 1e-9], dtype=torch.float64))
    assert safe_norm(torch.zeros(4, 0, 2)).shape == (4, 0)
    zero = torch.zeros(3, dtype=torch.float64)
    assert (jacobian(safe_norm, zero) == 0).all() and (hessian(safe_norm, zero) == 0).all()
    x = torch.tensor([[0.3, -0.4, 0.1], [0.01, 0.0, 0.02]], dtype=torch.float64, requires_grad=True)
    assert gradcheck(safe_norm, x) and gradgradcheck(safe_norm, x)


@pytest.mark.parametrize("scale", [1.0, 1e-2, 1e-4, 1e-8])
def test_bessel_functions_are_spherical_ones(scale):
    """sqrt(2) j_0(n pi r / c), and its derivative -j_1."""
    r = scale * torch.linspace(0.01, 2.5, 9, dtype=torch.float64)
    argument = np.outer(r, np.pi * np.arange(1, 6) / CUTOFF)
    np.testing.assert_allclose(
        bessel(r, 5, CUTOFF).numpy(), 2**0.5 * spherical_jn(0, argument), atol=1e-14
    )
    slope = jacobian(lambda x: bessel(x, 5, CUTOFF), r).diagonal(dim1=0, dim2=2).T.numpy()
    expected = -(2**0.5) * spherical_jn(1, argument) * np.pi * np.arange(1, 6) / CUTOFF
    np.testing.assert_allclose(slope, expected, atol=1e-11)


def test_bessel_functions_at_zero_and_at_the_cutoff():
    r = torch.tensor([0.0, CUTOFF], dtype=torch.float64)
    expected = torch.tensor([[2**0.5] * 4, [0.0] * 4], dtype=torch.float64)
    torch.testing.assert_close(bessel(r, 4, CUTOFF), expected)
    for n in range(4):
        value, first, second = derivatives(lambda x, n=n: bessel(x, 4, CUTOFF)[n], 0.0, 2)
        assert (value, first) == (pytest.approx(2**0.5), 0)
        assert second == pytest.approx(-(2**0.5) / 3 * ((n + 1) * np.pi / CUTOFF) ** 2, rel=1e-12)


def test_even_gaussians():
    """A sum of two, and the same on the other side of zero: no odd derivative there."""
    centres, width = torch.tensor([0.0, 0.4, 2.0]).double(), torch.tensor([0.3, 0.5, 1.0]).double()
    r = torch.linspace(-2, 2, 9, dtype=torch.float64)
    difference = r.numpy()[:, None] - centres.numpy() * np.array([1, -1])[:, None, None]
    expected = np.exp(-0.5 * (difference / width.numpy()) ** 2).sum(0)
    found = even_gaussian(r, centres, width)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-15)
    torch.testing.assert_close(found, found.flip(0))
    for n in range(3):
        odd = derivatives(lambda x, n=n: even_gaussian(x, centres, width)[n], 0.0, 3)
        assert abs(odd[1]) < 1e-15 and abs(odd[3]) < 1e-12


@pytest.mark.parametrize("power", [2, 6, 9])
def test_the_polynomial_cutoff(power):
    r = torch.linspace(0, 2 * CUTOFF, 21, dtype=torch.float64)
    u, p = r.numpy() / CUTOFF, power
    coefficients = -(p + 1) * (p + 2) / 2, p * (p + 2), -p * (p + 1) / 2
    expected = np.where(u < 1, 1 + sum(c * u ** (p + k) for k, c in enumerate(coefficients)), 0)
    np.testing.assert_allclose(polynomial_cutoff(r, CUTOFF, power).numpy(), expected, atol=1e-13)


@pytest.mark.parametrize("power", [1, 2])
def test_the_cosine_cutoff(power):
    r = torch.linspace(0, 2 * CUTOFF, 21, dtype=torch.float64)
    expected = np.where(
        r.numpy() < CUTOFF, np.cos(np.pi * r.numpy() / CUTOFF / 2) ** (2 * power), 0
    )
    np.testing.assert_allclose(cosine_cutoff(r, CUTOFF, power).numpy(), expected, atol=1e-15)


def once_smooth_cosine(r, cutoff):
    return cosine_cutoff(r, cutoff, 1)


@pytest.mark.parametrize(
    ("function", "smooth"), [(polynomial_cutoff, 2), (once_smooth_cosine, 1), (cosine_cutoff, 3)]
)
def test_cutoffs_end_smoothly(function, smooth):
    """One at zero, and falling.

    At the cutoff all of the promised derivatives vanish from both sides.
    """
    values = function(torch.linspace(0, CUTOFF, 50, dtype=torch.float64), CUTOFF)
    assert values[0] == 1 and values[-1] == 0 and (values.diff() <= 0).all()
    for r in (CUTOFF - 1e-7, CUTOFF, CUTOFF + 1e-7):
        np.testing.assert_allclose(
            derivatives(lambda x: function(x, CUTOFF), r, smooth), 0, atol=1e-5
        )
    assert derivatives(lambda x: function(x, CUTOFF), 7.0, 2) == [0, 0, 0]
    below = derivatives(lambda x: function(x, CUTOFF), CUTOFF - 1e-7, smooth + 1)[-1]
    assert abs(below) > 0.1


@pytest.mark.parametrize(
    "function",
    [
        lambda r: bessel(r, 4, CUTOFF),
        lambda r: even_gaussian(r, torch.tensor([0.0, 1.5]).to(r), torch.tensor([0.5, 1.0]).to(r)),
        lambda r: polynomial_cutoff(r, CUTOFF),
        lambda r: cosine_cutoff(r, CUTOFF),
    ],
    ids=["bessel", "even gaussian", "polynomial", "cosine"],
)
def test_radial_functions_can_be_differentiated_twice(function):
    r = torch.tensor(
        [0.0, 1e-5, 7.9e-4, 0.3, 1.7, 2.4, 2.6, 9.0], dtype=torch.float64, requires_grad=True
    )
    assert gradcheck(function, r) and gradgradcheck(function, r)
    assert function(r.detach().float()).dtype == torch.float32
    assert function(torch.zeros(0, 2)).shape[:2] == (0, 2)
