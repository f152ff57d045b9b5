"""All derivatives at every point: those of polynomials, and sums over offsets by hand."""

import itertools

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from steerable.convs.pdos.derivative_maps import GridDerivatives, PointDerivatives, _local_sum
from steerable.filters.derivative import DerivativeFilter, StencilFilter
from steerable.functions.polynomials import exponents_up_to
from steerable.groups import O2, O3, dihedral
from steerable.ops import knn, neighbourhoods
from steerable.ops.stencils.cloud import cloud_stencil

DOUBLE = torch.float64
MODES = {
    "zeros": "constant",
    "reflect": "reflect",
    "replicate": "replicate",
    "circular": "circular",
}


def monomials_and_derivatives(pos, order):
    """All x^p up to an order (point, p), and their derivatives d^a (point, p, a) by formula."""
    exponents = torch.from_numpy(exponents_up_to(pos.shape[1], order))
    partial = torch.zeros(len(pos), len(exponents), len(exponents), dtype=DOUBLE)
    for c, power in enumerate(exponents):
        for a, times in enumerate(exponents):
            if (times <= power).all():
                falling = ((power + 1).lgamma() - (power - times + 1).lgamma()).sum().exp()
                partial[:, c, a] = falling * pos.pow(power - times).prod(1)
    return pos.unsqueeze(1).pow(exponents).prod(2), partial


@pytest.mark.parametrize("group", [O2(), O3(), dihedral(3)], ids=str)
def test_derivatives_of_polynomials_on_points(group):
    pos = torch.randn(30, group.dim, dtype=DOUBLE)
    f, partial = monomials_and_derivatives(pos, 2)
    maps = PointDerivatives(DerivativeFilter(2, group), f.shape[1]).double()
    edges = knn(pos, pos, 16)
    offset, hood = pos[edges[0]] - pos[edges[1]], neighbourhoods(edges, len(pos))
    result = maps(f, pos, edges, cloud_stencil(offset, hood, 2).weight)
    wanted = partial @ maps.filter.operators.T * maps.conv.neighbours**-0.5
    torch.testing.assert_close(result, wanted, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("group", [O2(), O3(), dihedral(3)], ids=str)
def test_derivatives_of_polynomials_on_grids(group):
    dim, width = group.dim, 5
    axis = torch.arange(width, dtype=DOUBLE) - 1
    pos = torch.cartesian_prod(*[axis] * dim)
    f, partial = monomials_and_derivatives(pos, 2)
    maps = GridDerivatives(StencilFilter(2, 3, group=group)).double()
    result = maps(f.T.reshape(1, -1, *[width] * dim))[0].flatten(0, dim - 1)
    wanted = partial @ maps.filter.operators.T * (3**dim) ** -0.5
    inside = (pos.sub(1).abs() < 2).all(1)  # away from the padding
    torch.testing.assert_close(result[inside], wanted[inside], atol=1e-10, rtol=0)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("group", [O2(), O3()], ids=str)
def test_weighted_sums_of_derivatives_with_every_padding(group, mode):
    dim, width = group.dim, 4
    maps = GridDerivatives(StencilFilter(1, 3, group=group), mode).double()
    f = torch.randn(2, 2, 3, 1, *[width] * dim, dtype=DOUBLE)  # 2 groups of 3 copies
    weights = torch.randn(2, *[width] * dim, 2, 1, maps.filter.field.dim, dtype=DOUBLE)
    padded = torch.nn.functional.pad(f.flatten(1, 3), [1] * 2 * dim, MODES[mode])
    wanted = torch.zeros_like(f)
    offsets = itertools.product(range(3), repeat=dim)
    for values, start in zip(maps.filter.values(), offsets, strict=True):
        window = padded[(..., *(slice(a, a + width) for a in start))].view_as(f)
        kernel = (weights @ values).movedim((-2, -1), (1, 2)).unsqueeze(2)
        wanted += kernel * window * (3**dim) ** -0.5
    torch.testing.assert_close(maps.weighted(f, weights), wanted, atol=1e-13, rtol=0)
    every = maps(f.flatten(1, 3)).unflatten(-2, (2, 3, 1))
    total = (every * weights.unsqueeze(-3)).sum(-1).movedim((-3, -2, -1), (1, 2, 3))
    torch.testing.assert_close(total, wanted, atol=1e-13, rtol=0)


def test_local_sums_have_derivatives_and_may_be_transformed():
    f = torch.randn(4, 3, 2, 3, dtype=DOUBLE, requires_grad=True)
    kernel = torch.randn(4, 3, 2, 3, dtype=DOUBLE, requires_grad=True)
    assert gradcheck(_local_sum, (f, kernel)) and gradgradcheck(_local_sum, (f, kernel))

    def energy(f, kernel):
        return _local_sum(f, kernel).pow(3).sum()

    result = torch.func.grad(energy, argnums=(0, 1))(f.detach(), kernel.detach())
    wanted = torch.autograd.grad(energy(f, kernel), (f, kernel))
    for a, b in zip(result, wanted, strict=True):
        torch.testing.assert_close(a, b, atol=1e-12, rtol=0)
