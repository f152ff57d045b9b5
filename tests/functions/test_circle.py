"""Signals on the circle: against the harmonics of the plane and the irreps of O(2)."""

import math

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from steerable.field import Field
from steerable.functions import solid_harmonics
from steerable.functions.circle import circle_analysis, circle_synthesis
from steerable.groups import O2


def coefficients(order, batch=2):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(batch, 2 * order + 1, generator=generator, dtype=torch.float64)


def points(count):
    angle = 2 * math.pi * torch.arange(count, dtype=torch.float64) / count
    return torch.stack([angle.cos(), angle.sin()], -1)


def harmonics(count, order):
    """1, then sqrt(2) cos(k a) and sqrt(2) sin(k a): (point, harmonic).

    The angles are reduced below 2 pi.
    """
    turns = torch.arange(count)[:, None] * torch.arange(1, order + 1) % count
    angle = 2 * math.pi * turns.double() / count
    pairs = math.sqrt(2) * torch.stack([angle.cos(), angle.sin()], -1)
    return torch.cat([torch.ones(count, 1, dtype=torch.float64), pairs.flatten(1)], 1)


@pytest.mark.parametrize(("order", "count"), [(0, 1), (0, 4), (3, 7), (3, 8), (20, 64)])
def test_synthesis_is_the_sum_of_harmonics_and_analysis_its_inverse(order, count):
    c = coefficients(order)
    samples = circle_synthesis(c, count)
    table = harmonics(count, order)
    torch.testing.assert_close(solid_harmonics(points(count), order), table, atol=5e-14, rtol=0)
    torch.testing.assert_close(samples, c @ table.T, atol=5e-14, rtol=0)
    torch.testing.assert_close(circle_analysis(samples, order), c, atol=1e-14, rtol=0)
    torch.testing.assert_close(samples.square().mean(1), c.square().sum(1), rtol=1e-14, atol=0)


def test_rotations_and_reflections_act_as_on_a_field():
    c, field = coefficients(3, 1)[0], Field.parse("0e + 1 + 2 + 3", O2())
    for seed in range(4):
        q = torch.linalg.qr(
            torch.randn(2, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        )[0]
        q = q @ torch.diag(torch.tensor([1.0, (-1.0) ** seed], dtype=torch.float64))
        samples = solid_harmonics(points(9) @ q, 3) @ c
        torch.testing.assert_close(
            circle_analysis(samples, 3), field.matrix(q) @ c, atol=1e-13, rtol=0
        )


def test_derivatives_the_compiler_and_shapes():
    c = coefficients(2).requires_grad_()
    samples = circle_synthesis(c, 6).detach().requires_grad_()
    for function, x in (
        (lambda x: circle_analysis(x, 2), samples),
        (lambda x: circle_synthesis(x, 6), c),
    ):
        assert gradcheck(function, x)
        assert gradgradcheck(lambda x, f=function: f(x).square(), x)
    both = torch.compile(
        lambda x: circle_analysis(circle_synthesis(x, 6), 2), fullgraph=True, backend="aot_eager"
    )
    torch.testing.assert_close(both(c), c, atol=1e-14, rtol=0)
    assert circle_analysis(torch.zeros(0, 3, 8), 2).shape == (0, 3, 5)
    assert circle_synthesis(torch.zeros(0, 3, 5), 8).shape == (0, 3, 8)
    single = coefficients(20).float()
    torch.testing.assert_close(
        circle_analysis(circle_synthesis(single, 64), 20), single, atol=1e-6, rtol=0
    )


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: circle_analysis(torch.zeros(6), 3),
            "Orders 0 to 3 on the circle need at least 7 samples; got 6",
        ),
        (lambda: circle_analysis(torch.zeros(6), -1), "need at least"),
        (lambda: circle_synthesis(torch.zeros(7), 6), "at least 7 samples; got 6"),
        (lambda: circle_synthesis(torch.zeros(6), 8), r"2 K \+ 1 coefficients; got 6"),
        (lambda: circle_analysis(torch.full((8,), math.nan), 3), "needs finite samples"),
    ],
)
def test_what_has_no_transform(call, text):
    with pytest.raises(ValueError, match=text):
        call()
