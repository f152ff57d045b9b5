"""The radial part of filters.

Shapes, scale, smoothness at zero and at the cutoff, learning, bad input.
"""

import itertools
from functools import partial

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch import nn
from torch.autograd import gradcheck, gradgradcheck
from torch.autograd.functional import hessian

from steerable import Field
from steerable.certify import Role, certify
from steerable.filters import HarmonicFilter, ImplicitFilter, Radial
from steerable.filters.radial import BASES, ENVELOPES
from steerable.functions import bessel, polynomial_cutoff

DOUBLE = torch.float64
CUTOFF = 2.5
PAIRS = list(itertools.product(BASES, ENVELOPES))


def radial_of(basis="bessel", envelope="polynomial", count=4):
    torch.manual_seed(0)
    radial = Radial(CUTOFF, basis, count, envelope).double()
    with torch.no_grad():
        for parameter in radial.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return radial


def points():
    """Two of them coincide with the origin or nearly so, others are about and beyond the cutoff."""
    torch.manual_seed(1)
    directions = nn.functional.normalize(torch.randn(8, 3, dtype=DOUBLE), dim=1)
    return (
        directions
        * torch.tensor([0, 1e-8, 1e-4, 0.3, 1.2, CUTOFF - 1e-2, CUTOFF + 1e-2, 9], dtype=DOUBLE)[
            :, None
        ]
    )


@pytest.mark.parametrize(("basis", "envelope"), PAIRS)
def test_can_be_differentiated_twice_everywhere(basis, envelope):
    radial = radial_of(basis, envelope)
    x = points().requires_grad_()
    parameters = list(radial.parameters())

    def function(x, *_):
        return radial(x)

    assert gradcheck(function, (x, *parameters)) and gradgradcheck(function, (x, *parameters))


@pytest.mark.parametrize(("basis", "envelope"), PAIRS)
def test_second_derivatives_at_zero_and_at_the_cutoff(basis, envelope):
    radial = radial_of(basis, envelope)

    def function(x):
        values, end = radial(x[None])
        return (values * end).sum()

    zero = torch.zeros(3, dtype=DOUBLE)
    step = 1e-3 * torch.eye(3, dtype=DOUBLE)[0]
    slope = (function(step) + function(-step) - 2 * function(zero)) / 1e-6
    assert slope.abs() > 0.1
    torch.testing.assert_close(
        hessian(function, zero), slope * torch.eye(3, dtype=DOUBLE), rtol=1e-3, atol=1e-3
    )
    if envelope != "none":
        direction = torch.tensor([0.6, 0.0, 0.8], dtype=DOUBLE)
        for r in (CUTOFF - 1e-6, CUTOFF, CUTOFF + 1e-6):
            x = (r * direction).requires_grad_()
            (first,) = torch.autograd.grad(function(x), x)
            assert function(x).abs() < 1e-10 and first.abs().max() < 1e-6
            assert hessian(function, x.detach()).abs().max() < 1e-2


@pytest.mark.parametrize(
    ("which", "name"),
    [*((0, basis) for basis in BASES), *((1, envelope) for envelope in ENVELOPES)],
)
def test_unit_mean_square_over_distances(which, name):
    radial = Radial(CUTOFF, **{("basis", "envelope")[which]: name}, count=5).double()

    def density(r):
        value = radial(torch.tensor([[r, 0.0, 0.0]], dtype=DOUBLE))[which]
        return float(value.square().mean().detach()) / CUTOFF

    assert quad(density, 0, CUTOFF, epsabs=1e-5)[0] == pytest.approx(1, abs=1e-4)


def test_values_of_the_common_ones():
    r = torch.tensor([0.3, 0.9, 2.1], dtype=DOUBLE)
    values, envelope = Radial(CUTOFF, count=6).double()(
        r[:, None] * torch.tensor([0, 1, 0], dtype=DOUBLE)
    )
    ratio = values / bessel(r, 6, CUTOFF)
    torch.testing.assert_close(ratio, ratio[:1, :1].expand(3, 6))
    ratio = envelope[:, 0] / polynomial_cutoff(r, CUTOFF)
    torch.testing.assert_close(ratio, ratio[:1].expand(3))


def test_learned_gaussians_begin_as_the_fixed_ones_and_follow_their_parameters():
    x = points()
    fixed, learned = Radial(CUTOFF, "gaussian", 6).double(), Radial(CUTOFF, "learned", 6).double()
    torch.testing.assert_close(learned(x)[0], fixed(x)[0], atol=1e-6, rtol=1e-6)
    assert list(fixed.state_dict()) == [] and len(learned.state_dict()) == 2
    with torch.no_grad():
        learned.basis.centres.fill_(0.4)
        learned.basis.log_width.fill_(np.log(0.2))
    r = x.norm(dim=1) / CUTOFF
    expected = torch.exp(-((r - 0.4) ** 2) / 0.08) + torch.exp(-((r + 0.4) ** 2) / 0.08)
    ratio = (learned(x)[0][:7] / expected[:7, None]).detach()
    torch.testing.assert_close(ratio, ratio[:1, :1].expand_as(ratio), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize(
    "filter", [partial(HarmonicFilter, 2), partial(ImplicitFilter, "0e+1o+2e")]
)
@pytest.mark.parametrize(
    ("basis", "envelope"), [("learned", "gaussian"), ("gaussian", "cosine"), ("bessel", "none")]
)
def test_filters_with_any_radial_part_are_steerable_and_learn_it(filter, basis, envelope):
    torch.manual_seed(0)
    radial = Radial(CUTOFF, basis, 5, envelope)
    made = filter(radial).double()
    x = torch.randn(6, 3, dtype=DOUBLE)
    output = Role("edge", made.field * made.channels)
    report = certify(lambda x: made(x).flatten(1), [(x, Role("edge", Field.parse("1o")))], output)
    assert report.error < 1e-13, report
    grads = (
        torch.autograd.grad(made(x).square().sum(), list(radial.parameters()))
        if envelope == "gaussian"
        else ()
    )
    assert all(grad.abs().max() > 1e-6 for grad in grads)
    beyond = made(torch.full((1, 3), 2.0, dtype=DOUBLE)).abs().max()
    assert (beyond == 0) == (envelope != "none")


def test_parts_of_ones_own():
    basis = nn.Sequential(nn.Unflatten(0, (-1, 1)), nn.Linear(1, 7), nn.Tanh())
    radial = Radial(2.0, basis, 7, torch.ones_like)
    filter = HarmonicFilter(1, radial, channels=3)
    assert filter(torch.randn(5, 3)).shape == (5, 3, 4) and filter.cutoff == 2.0
    assert {id(p) for p in basis.parameters()} < {id(p) for p in filter.parameters()}
    with pytest.raises(
        ValueError,
        match=r"The basis gives \(5, 7\) numbers for 5 distances; count=8 needs \(5, 8\)",
    ):
        Radial(2.0, basis)(torch.randn(5, 3))


def test_empty_float32_and_planar():
    radial = Radial(2.0)
    values, envelope = radial(torch.zeros(0, 2))
    assert values.shape == (0, 8) and envelope.shape == (0, 1)
    assert radial(torch.randn(3, 2))[0].dtype == torch.float32


@pytest.mark.parametrize("cutoff", [0, -1.0, float("inf"), float("nan")])
@pytest.mark.parametrize(
    "make", [Radial, partial(HarmonicFilter, 1), partial(ImplicitFilter, "0e")]
)
def test_a_bad_cutoff(make, cutoff):
    with pytest.raises(
        ValueError, match="cutoff is positive and finite, in the unit of the positions; got"
    ):
        make(cutoff)


def test_bad_parts():
    with pytest.raises(
        ValueError, match="basis is one of bessel, gaussian, learned, or a function.*got 'sine'"
    ):
        Radial(1.0, "sine")
    with pytest.raises(
        ValueError, match="envelope is one of polynomial, cosine, gaussian, none, or .*got 'step'"
    ):
        Radial(1.0, envelope="step")
    with pytest.raises(ValueError, match="at least 1 function; got count=0"):
        Radial(1.0, count=0)
    with pytest.raises(
        ValueError, match=r"widths of a HarmonicFilter are at least 1; got \(8, 0, 16\)"
    ):
        HarmonicFilter(1, 1.0, hidden=(0,))
