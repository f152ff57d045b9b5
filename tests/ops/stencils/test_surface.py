"""Derivatives along surfaces.

Planes, where they are those of the plane, and spheres, where they are known.
"""

import math

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from steerable.functions.polynomials import exponents_up_to, factorials, monomials
from steerable.ops import knn, neighbourhoods
from steerable.ops.stencils.cloud import StencilWarning, cloud_stencil
from steerable.ops.stencils.surface import surface_stencil

METHODS = ["least_squares", "rbf"]


def draw(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


def orthogonal(seed, sign=1):
    q = torch.linalg.qr(draw(3, 3, seed=seed))[0]
    return q * (sign * torch.linalg.det(q))


def sphere(count):
    """Points spread evenly over the unit sphere by the golden angle, each a little off."""
    z = 1 - (2 * torch.arange(count).double() + 1) / count
    angle = math.pi * (3 - 5**0.5) * torch.arange(count).double()
    pos = torch.stack([(1 - z**2).sqrt() * angle.cos(), (1 - z**2).sqrt() * angle.sin(), z], 1)
    pos = pos + 0.5 / count**0.5 * draw(count, 3)
    return pos / pos.norm(dim=1, keepdim=True)


def stencil(pos, edge_index, normal=None, order=2, **options):
    offset = pos[edge_index[0]] - pos[edge_index[1]]
    return surface_stencil(offset, neighbourhoods(edge_index, len(pos)), order, normal, **options)


def derivatives(found, edge_index, f):
    result = torch.zeros(len(f), found.weight.shape[1]).double()
    return result.index_add(0, edge_index[1], found.weight * f[edge_index[0], None])


def directional(weight, direction, order):
    """The weights of (xi . d)^n for every n: (edge, n)."""
    powers = exponents_up_to(3, order)
    binomial = np.array([math.factorial(n) for n in powers.sum(1)]) / factorials(powers)
    terms = weight * monomials(direction, powers) * torch.from_numpy(binomial)
    return torch.stack([terms[:, powers.sum(1) == n].sum(1) for n in range(order + 1)], 1)


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_on_a_plane_they_are_those_of_the_plane(order, given):
    """In any position of the plane; along its normal they are 0."""
    flat = torch.from_numpy(np.random.default_rng(1).random((60, 2)))
    edge_index, axes = knn(flat, flat, 24), orthogonal(2)
    pos, normal = flat @ axes[:, :2].T + 0.3, axes[:, 2].expand(60, 3)
    found = stencil(pos, edge_index, normal if given else None, order)
    expected = cloud_stencil(
        flat[edge_index[0]] - flat[edge_index[1]], neighbourhoods(edge_index, 60), order
    )
    for direction in draw(3, 3):
        in_plane = torch.cat([axes[:, :2].T @ direction, direction.new_zeros(1)])
        padded = torch.zeros(len(expected.weight), len(exponents_up_to(3, order))).double()
        padded[:, torch.from_numpy(exponents_up_to(3, order)[:, 2] == 0)] = expected.weight
        one, other = (
            directional(found.weight, direction, order),
            directional(padded, in_plane, order),
        )
        torch.testing.assert_close(
            one / other.abs().amax(0), other / other.abs().amax(0), rtol=0, atol=1e-10
        )
    assert (found.condition < 1e3).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("given", [True, False])
def test_on_a_sphere_they_tend_to_gradient_and_laplacian(given, method):
    """f = x y + z is the sum of harmonics of degrees 2 and 1: its Laplacian is -6 x y - 2 z."""
    errors = []
    for count in (500, 2000):
        pos = sphere(count)
        edge_index = knn(pos, pos, 20)
        x, y, z = pos.T
        found = derivatives(
            stencil(pos, edge_index, pos if given else None, method=method), edge_index, x * y + z
        )
        slope = torch.stack([y, x, torch.ones(count).double()], 1)
        slope = slope - (slope * pos).sum(1, keepdim=True) * pos
        laplacian = -6 * x * y - 2 * z
        rows = exponents_up_to(3, 2).tolist()
        second = sum(found[:, rows.index(a)] for a in ([2, 0, 0], [0, 2, 0], [0, 0, 2]))
        errors.append(
            [
                (found[:, 1:4] - slope).norm() / slope.norm(),
                (second - laplacian).norm() / laplacian.norm(),
            ]
        )
    slopes, laplacians = np.array(errors).T
    assert (
        slopes[1] < 0.006 and slopes[0] / slopes[1] > 3.5
    )  # of second order: halved twice from 500 to 2,000 points
    assert laplacians[1] < 0.03 and laplacians[0] / laplacians[1] > 1.7


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize(
    "options", [{}, {"ridge": 1e-2}, {"method": "rbf"}, {"degree": 3}], ids=str
)
def test_weights_turn_with_space(options, given, sign):
    pos = sphere(200)
    edge_index, g, direction = knn(pos, pos, 24), orthogonal(3, sign), draw(3, seed=4)
    before = directional(
        stencil(pos, edge_index, pos if given else None, **options).weight, direction, 2
    )
    moved = 1.3 * pos @ g.T - 0.4
    normal = -2 * pos @ g.T if given else None  # any length and sign
    after = directional(stencil(moved, edge_index, normal, **options).weight, g @ direction, 2)
    after = after * 1.3 ** torch.arange(3).double()
    assert ((after - before).abs().amax(0) / before.abs().amax(0)).max() < 1e-10


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("given", [True, False])
def test_forces_may_train_through_weights(given, method):
    """On a regular square, too, whose covariance has two equal eigenvalues.

    And through normals that are given.
    """
    axis = torch.arange(3).double() - 1
    x = torch.cat([torch.cartesian_prod(axis, axis), torch.zeros(9, 1).double()], 1)
    x[:, 2] = 0.2 * x[:, 0].square() + 0.1 * x[:, 1]
    hood = neighbourhoods(torch.stack([torch.arange(9), torch.zeros(9).long()]), 1)
    normal = draw(1, 3).requires_grad_()

    def weights(x, normal):
        return surface_stencil(x, hood, 2, normal if given else None, method).weight

    inputs = (x.requires_grad_(), normal) if given else (x.requires_grad_(), normal.detach())
    assert gradcheck(weights, inputs, fast_mode=True) and gradgradcheck(
        weights, inputs, fast_mode=True
    )


def test_normals_of_a_square_have_gradients():
    """A flat regular square.

    Two equal eigenvalues, where the eigenvectors of torch have no gradient.
    """
    axis = torch.arange(3).double() - 1
    x = torch.cat(
        [torch.cartesian_prod(axis, axis), torch.zeros(9, 1).double()], 1
    ).requires_grad_()
    hood = neighbourhoods(torch.stack([torch.arange(9), torch.zeros(9).long()]), 1)
    assert gradcheck(lambda x: surface_stencil(x, hood, 2).weight, (x,))


def test_batches_and_dtypes():
    one, two = sphere(60), 2 * sphere(90)
    edges = knn(one, one, 14), knn(two, two, 18)
    both = stencil(torch.cat([one, two]), torch.cat([edges[0], edges[1] + 60], 1))
    parts = stencil(one, edges[0]), stencil(two, edges[1])
    scale = both.weight.abs().amax(0)
    torch.testing.assert_close(
        both.weight / scale, torch.cat([p.weight for p in parts]) / scale, rtol=0, atol=1e-10
    )
    torch.testing.assert_close(both.condition, torch.cat([p.condition for p in parts]))
    single = stencil(torch.cat([one, two]).float(), torch.cat([edges[0], edges[1] + 60], 1))
    assert single.weight.dtype == torch.float32 and single.condition.dtype == torch.float64
    torch.testing.assert_close(
        single.weight / scale, both.weight / scale, rtol=0, atol=1e-4, check_dtype=False
    )


@pytest.mark.parametrize("kind", ["line", "blob", "place", "one", "none"])
def test_where_there_is_no_surface(kind):
    """A line, the corners of a cube, one place, one neighbour, none: finite, and told."""
    pos = {
        "line": torch.arange(9).double()[:, None] * draw(3),
        "blob": torch.cartesian_prod(*[torch.tensor([-1.0, 1.0]).double()] * 3),
        "place": torch.ones(5, 3).double(),
        "one": draw(2, 3),
        "none": draw(2, 3),
    }[kind].requires_grad_()
    edge_index = torch.stack([torch.arange(len(pos)), torch.zeros(len(pos)).long()])
    edge_index = {"one": edge_index[:, 1:], "none": edge_index[:, :0]}.get(kind, edge_index)
    with pytest.warns(StencilWarning):
        found = stencil(pos, edge_index)
    assert found.weight.isfinite().all() and found.condition.isinf().all()
    slopes = derivatives(found, edge_index, torch.ones(len(pos)).double())[:, 1:]
    torch.testing.assert_close(slopes, torch.zeros_like(slopes), rtol=0, atol=1e-12)
    (gradient,) = torch.autograd.grad(found.weight.square().sum(), pos)
    assert gradient.isfinite().all()


@pytest.mark.parametrize(
    ("pos", "normal", "text"),
    [
        (torch.ones(4, 2), None, r"points in space, with offsets \(edge, 3\); got \(4, 2\)"),
        (torch.ones(4, 3), torch.ones(3, 3), r"normal, \(4, 3\) numbers; got \(3, 3\)"),
        (torch.ones(4, 3), torch.eye(4)[:, :3], r"finite and not 0; those of nodes \[3\]"),
        (
            torch.ones(4, 3),
            torch.full((4, 3), math.nan),
            r"finite and not 0; those of nodes \[0, 1, 2, 3\]",
        ),
        (
            torch.ones(4, 3),
            torch.full((4, 3), math.inf),
            r"finite and not 0; those of nodes \[0, 1, 2, 3\]",
        ),
    ],
)
def test_bad_input(pos, normal, text):
    with pytest.raises(ValueError, match=text):
        stencil(pos, torch.tensor([[0, 1, 2, 3], [1, 2, 3, 0]]), normal)
