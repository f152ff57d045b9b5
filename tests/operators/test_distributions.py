"""The distribution view.

Operators are limits of kernels, and delta, kernels and operators are one algebra.
"""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from oracles.groups import EVERY, name
from oracles.operators import drawn, points, some_field
from steerable.functions.polynomials import exponents
from steerable.groups import O2, O3, SO2, dihedral, point_group
from steerable.operators import Symbol, named, smoothed_kernel

PAGE = Path(__file__).parents[2] / "docs" / "distributions.md"


def square_grid(reach, spacing):
    """Points of the plane (point, 2) and the area of each.

    Exact to rounding for Gaussians wider than the spacing.
    """
    axis = (
        torch.arange(-round(reach / spacing), round(reach / spacing) + 1, dtype=torch.float64)
        * spacing
    )
    return torch.cartesian_prod(axis, axis), spacing**2


def derivative(values, x, row):
    """d^a of numbers (point,) by autograd."""
    for axis, count in enumerate(row):
        for _ in range(count):
            (grad,) = torch.autograd.grad(values.sum(), x, create_graph=True)
            values = grad[:, axis]
    return values


def by_autograd(symbol, f, x):
    """P(d) f at points; autograd can follow."""
    x = x if x.requires_grad else x.clone().requires_grad_()
    result = 0
    for n, part in symbol.parts.items():
        for c, row in zip(torch.from_numpy(part), exponents(symbol.group.dim, n), strict=True):
            values = torch.stack([derivative(v, x, row) for v in f(x).unbind(-1)], -1)
            result = result + values @ c.T
    return result


def gaussian(x, sigma):
    return torch.exp(-x.square().sum(-1) / (2 * sigma**2)) / (2 * torch.pi * sigma**2) ** (
        x.shape[-1] / 2
    )


def convolved(kernel, f, x, reach, spacing):
    """(K * f)(x), the integral of K(y) f(x - y), at points x of the plane."""
    y, area = square_grid(reach, spacing)
    values = f((x[:, None] - y).flatten(0, 1)).unflatten(0, (len(x), len(y)))
    return torch.einsum("yoi,xyi->xo", kernel(y), values) * area


def waves(group, field, seed=0):
    """A smooth field: a sum of plane waves, as wave vectors, amplitudes and phases."""
    k, a = points(4, group.dim, seed), points(4, field.dim, seed + 1)
    return lambda x: torch.cos(x @ k.T + torch.arange(4)) @ a, k, a


def on_waves(symbol, k, a, x, damping=1.0):
    """P(d) of the field of `waves`, in closed form."""
    phases = torch.exp(1j * (x @ k.T + torch.arange(4))) * damping
    return torch.einsum("xw,woi,wi->xo", phases, symbol.evaluate(1j * k), a.to(phases)).real


@pytest.mark.parametrize("group", [O2(), O3(), point_group("T")], ids=name)
def test_the_symbol_is_what_the_operator_does_to_waves(group):
    """P(d) exp(i k x) = P(i k) exp(i k x), the left by autograd."""
    field = some_field(group)
    symbol = drawn(field, field, 3)
    f, k, a = waves(group, field)
    x = points(3, group.dim, 5)
    torch.testing.assert_close(
        by_autograd(symbol, f, x), on_waves(symbol, k, a, x), rtol=1e-11, atol=1e-11
    )


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_smoothed_operators_tend_to_the_operator(order):
    """|K * f - P(d) f| falls as sigma^2; K * f is P(d) of the field that the Gaussian smooths."""
    field = some_field(O2())
    symbol = drawn(field, field, order)
    f, k, a = waves(O2(), field)
    x = points(3, 2, 5)
    exact = on_waves(symbol, k, a, x)
    errors = []
    for sigma in (0.1, 0.05, 0.025):
        found = convolved(
            lambda y, s=sigma: smoothed_kernel(symbol, y, s),
            f,
            x,
            reach=9 * sigma,
            spacing=sigma / 3,
        )
        damping = torch.exp(-(sigma**2) * k.square().sum(1) / 2)
        torch.testing.assert_close(found, on_waves(symbol, k, a, x, damping), rtol=1e-8, atol=1e-8)
        errors.append(float((found - exact).norm() / exact.norm()))
    rates = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(rates, 2, atol=0.05)


@pytest.mark.parametrize("group", EVERY, ids=name)
def test_steerable_operators_give_steerable_kernels(group):
    """K(g x) = rho_out(g) K(x) rho_in(g)^-1 with random g.

    A kernel that is not steerable does not.
    """
    field_in, field_out = some_field(group), some_field(group, 2)
    x, g = points(5, group.dim), group.sample(4, torch.Generator().manual_seed(1))
    g = torch.cat([g, torch.from_numpy(group.representatives[-1:])])

    def error(symbol):
        turned = smoothed_kernel(symbol, torch.einsum("gij,xj->gxi", g, x), 1.1)
        fixed = (
            field_out.matrix(g)[:, None]
            @ smoothed_kernel(symbol, x, 1.1)
            @ field_in.matrix(g).mT[:, None]
        )
        return float((turned - fixed).abs().max())

    symbol = drawn(field_in, field_out, 3)
    assert error(symbol) < 1e-12
    rng = np.random.default_rng(0)
    noise = Symbol(
        field_in, field_out, {n: rng.normal(size=part.shape) for n, part in symbol.parts.items()}
    )
    assert error(noise) > 1e-3 or group.order == 1


@pytest.mark.parametrize("group", [O2(), SO2(), dihedral(3, angle=0.4)], ids=name)
def test_delta_kernel_and_operator_commute_with_the_group(group):
    """L (h f) = h (L f) for h f(x) = rho(g) f(g^-1 (x - t)), at random g and t."""
    field_in, field_out = some_field(group), some_field(group)
    f, _, _ = waves(group, field_in)
    x, shift = points(3, 2, 7), points(1, 2, 8)
    delta = drawn(field_in, field_out, 0)
    operator = drawn(field_in, field_out, 3)
    maps = {
        "delta": lambda f, x: f(x) @ torch.from_numpy(delta.parts[0][0]).T,
        "kernel": lambda f, x: convolved(
            lambda y: smoothed_kernel(operator, y, 0.4), f, x, 3.2, 0.16
        ),
        "operator": lambda f, x: by_autograd(operator, f, x),
    }
    elements = torch.cat(
        [
            group.sample(2, torch.Generator().manual_seed(2)),
            torch.from_numpy(group.representatives[-1:]),
        ]
    )
    for g in elements:
        before, after = field_in.matrix(g), field_out.matrix(g)
        for label, apply in maps.items():
            moved = apply(lambda x, g=g, m=before: f((x - shift) @ g) @ m.T, x)
            expected = apply(f, (x - shift) @ g) @ after.T
            torch.testing.assert_close(moved, expected, rtol=1e-7, atol=1e-7, msg=label)


def test_they_compose():
    """D (K * f) = (D K) * f.

    Kernels of widths s and t make the kernel of D E and width sqrt(s^2 + t^2).
    """
    vector, scalar = named.gradient(2).field_out, named.gradient(2).field_in
    inner, outer = drawn(scalar, vector, 2), drawn(vector, some_field(O2()), 2, 1)
    f, k, a = waves(O2(), scalar)
    x = points(3, 2, 7)

    def smoothed(symbol):
        return lambda x: convolved(lambda y: smoothed_kernel(symbol, y, 0.5), f, x, 4.5, 0.15)

    after = by_autograd(outer, smoothed(inner), x)
    torch.testing.assert_close(after, smoothed(outer @ inner)(x), rtol=1e-9, atol=1e-9)
    y, area = square_grid(3.0, 0.1)
    left = smoothed_kernel(outer, y, 0.3)
    right = smoothed_kernel(inner, (x[:, None] - y), 0.4)
    both = torch.einsum("yom,xymi->xoi", left, right) * area
    torch.testing.assert_close(both, smoothed_kernel(outer @ inner, x, 0.5), rtol=1e-9, atol=1e-9)
    twice = by_autograd(outer, lambda x: by_autograd(inner, f, x), x)
    torch.testing.assert_close(twice, on_waves(outer @ inner, k, a, x))


@pytest.mark.parametrize("group", [O2(), O3()], ids=name)
def test_operators_are_steerable_distributions(group):
    """<T, f o g^-1> = rho_out(g) <T, f> rho_in(g)^-1 for T = P(d) delta, <T, f> = P(-d) f at 0."""
    field = some_field(group)
    symbol = drawn(field, field, 3)
    centre = points(1, group.dim, 3)[0]
    g = group.sample(3, torch.Generator().manual_seed(1))
    assert (torch.linalg.det(g) < 0).any() and (torch.linalg.det(g) > 0).any()

    def paired(f):
        x = torch.zeros(1, group.dim, dtype=torch.float64, requires_grad=True)
        total = 0
        for n, part in symbol.parts.items():
            for c, row in zip(torch.from_numpy(part), exponents(group.dim, n), strict=True):
                total = total + (-1) ** n * derivative(f(x), x, row)[0] * c
        return total

    def bump(x):
        return gaussian(x - centre, 0.9) * (1 + x[:, 0] * x[:, 1])

    for element, rho in zip(g, field.matrix(g), strict=True):
        turned = paired(lambda x, h=element: bump(x @ h))
        torch.testing.assert_close(turned, rho @ paired(bump) @ rho.T, rtol=1e-10, atol=1e-10)


def test_the_page_runs(capsys):
    names: dict[str, object] = {}
    text = PAGE.read_text()
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(block, names)
    shown = [
        block
        for language, block in re.findall(r"```(\w*)\n(.*?)```", text, re.DOTALL)
        if not language
    ]
    assert len(shown) == 1 and capsys.readouterr().out == shown[0]
