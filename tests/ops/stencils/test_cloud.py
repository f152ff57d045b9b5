"""Derivatives on scattered points against polynomials, plain fits, and motions of space."""

import math
import warnings

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from steerable.functions.polynomials import exponents_up_to, factorials, monomials
from steerable.ops import knn, neighbourhoods, radius_graph
from steerable.ops.stencils import cloud as cloud_stencils
from steerable.ops.stencils.cloud import StencilWarning, cloud_stencil

METHODS = ["least_squares", "rbf"]
NOTHING = torch.zeros(2, 0, dtype=torch.long)


def cloud(count=60, dim=3, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).random((count, dim)))


def spread(count=60, dim=3):
    """Points on a grid, each a little off: for splines, that take every distance for what it is."""
    axis = torch.arange(math.ceil(count ** (1 / dim) - 1e-9)).double()
    grid = torch.cartesian_prod(*[axis] * dim).view(-1, dim)[:count]
    return (grid + 0.6 * cloud(count, dim)) / len(axis)


def graph(pos, k):
    """The k nearest, oneself among them."""
    return knn(pos, pos, k)


def stencil(pos, edge_index, order=2, *arguments, **options):
    offset = pos[edge_index[0]] - pos[edge_index[1]]
    return cloud_stencil(offset, neighbourhoods(edge_index, len(pos)), order, *arguments, **options)


def derivatives(found, edge_index, f):
    """Sums over edges: (node, monomial) of values (node,)."""
    result = torch.zeros(len(f), found.weight.shape[1], dtype=f.dtype)
    return result.index_add(0, edge_index[1], found.weight * f[edge_index[0], None])


def polynomial(pos, powers, order):
    """Values (node,) of a random polynomial, and its derivatives (node, monomial).

    They go up to an order.
    """
    weight = np.random.default_rng(1).normal(size=len(powers))
    rows, columns = exponents_up_to(pos.shape[1], order), []
    for a in rows:
        left = powers - a
        falling = [
            math.prod(math.perm(p, q) for p, q in zip(power, a, strict=True))
            for power in powers.tolist()
        ]
        kept = (left >= 0).all(1)
        terms = monomials(pos, np.where(kept[:, None], left, 0))
        columns.append(terms @ torch.from_numpy(weight * falling * kept))
    return columns[0], torch.stack(columns, 1)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("dim", "order", "degree", "k"),
    [(1, 2, 2, 6), (2, 2, 2, 12), (2, 2, 3, 20), (2, 0, 1, 8), (3, 2, 2, 20), (3, 1, 1, 8)],
)
def test_derivatives_of_polynomials_are_exact(dim, order, degree, k, method):
    """At every point, on the boundary too."""
    pos = cloud(80, dim) if method == "least_squares" else spread(80, dim)
    edge_index = graph(pos, k)
    found = stencil(pos, edge_index, order, method, degree)
    f, expected = polynomial(pos, exponents_up_to(dim, degree), order)
    error = (derivatives(found, edge_index, f) - expected).abs() / expected.abs().amax(0)
    assert error.max() < 1e-10 and found.condition.max() < 1e3


@pytest.mark.parametrize("method", METHODS)
def test_neighbourhoods_may_differ_in_size_and_lack_the_point_itself(method):
    pos = cloud(100, 2)
    edge_index = radius_graph(pos, 0.4)
    assert torch.bincount(edge_index[1]).unique().numel() > 10
    f, expected = polynomial(pos, exponents_up_to(2, 2), 2)
    found = stencil(pos, edge_index, 2, method)
    torch.testing.assert_close(derivatives(found, edge_index, f), expected, rtol=0, atol=1e-9)


def directional(weight, direction, order):
    """The weights of (xi . d)^n for every n: (edge, n)."""
    dim = len(direction)
    powers = exponents_up_to(dim, order)
    degrees = powers.sum(1)
    binomial = np.array([math.factorial(n) for n in degrees]) / factorials(powers)
    terms = weight * (monomials(direction, powers) * torch.from_numpy(binomial)).to(weight)
    return torch.stack([terms[:, degrees == n].sum(1) for n in range(order + 1)], 1)


def orthogonal(dim, seed, sign):
    q = torch.from_numpy(np.linalg.qr(np.random.default_rng(seed).normal(size=(dim, dim)))[0])
    q[:, 0] *= sign * torch.linalg.det(q)
    return q


def motion_error(pos, edge_index, make, order=2, scale=1.7, sign=1):
    """How much weights differ after a random motion and a scaling of all points.

    It is relative to each order's largest.
    """
    dim = pos.shape[1]
    g, direction = (
        orthogonal(dim, 5, sign),
        torch.from_numpy(np.random.default_rng(6).normal(size=dim)),
    )
    shift = torch.full((dim,), 0.8, dtype=torch.float64)
    moved = (scale * pos.double() @ g.T + shift).to(pos)
    before = directional(make(pos, edge_index).weight, direction, order)
    after = directional(make(moved, edge_index).weight, g @ direction, order)
    after = after * scale ** torch.arange(order + 1).double()
    return float(((after - before).abs().amax(0) / before.abs().amax(0)).max())


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"ridge": 1e-3},
        {"method": "rbf"},
        {"degree": 3},
        {"degree": 3, "ridge": 1.0},
        {"degree": 3, "method": "rbf"},
    ],
    ids=str,
)
def test_weights_turn_with_space(options, dim, sign):
    pos = spread(120, dim) if "method" in options else cloud(120, dim)
    edge_index = graph(pos, 32)
    assert motion_error(pos, edge_index, lambda p, e: stencil(p, e, **options), sign=sign) < 1e-10
    single = motion_error(pos.float(), edge_index, lambda p, e: stencil(p, e, **options), sign=sign)
    assert single < 1e-3 if options.get("degree") else single < 1e-4


def test_a_ridge_on_plain_monomials_would_be_seen():
    def broken(pos, edge_index):
        found = stencil(pos, edge_index, ridge=1e-3)
        weight = (
            found.weight * torch.tensor([1, 1, 1, 1, 1.01, 1]).double()
        )  # the mixed derivative a little more
        return found._replace(weight=weight)

    pos = cloud(50, 2)
    assert motion_error(pos, graph(pos, 12), broken) > 1e-3


@pytest.mark.parametrize("method", METHODS)
def test_the_order_of_nodes_and_edges_does_not_matter(method):
    pos, rng = cloud(50, 2), np.random.default_rng(2)
    edge_index = graph(pos, 12)
    nodes, edges = torch.from_numpy(rng.permutation(50)), torch.from_numpy(rng.permutation(600))
    place = torch.argsort(nodes)
    found, other = (
        stencil(pos, edge_index, 2, method),
        stencil(pos[nodes], place[edge_index[:, edges]], 2, method),
    )
    scale = found.weight.abs().amax(0)
    torch.testing.assert_close(
        other.weight / scale, found.weight[edges] / scale, rtol=0, atol=1e-11
    )
    torch.testing.assert_close(other.condition, found.condition[nodes])


@pytest.mark.parametrize("method", METHODS)
def test_a_batch_is_its_clouds_one_by_one(method):
    first, second = cloud(40, 3), 2 * cloud(30, 3, seed=1)
    one, two = graph(first, 22), graph(second, 14)
    both = stencil(torch.cat([first, second]), torch.cat([one, two + 40], 1), 2, method)
    parts = stencil(first, one, 2, method), stencil(second, two, 2, method)
    scale = both.weight.abs().amax(0)
    torch.testing.assert_close(
        both.weight / scale, torch.cat([p.weight for p in parts]) / scale, rtol=0, atol=1e-11
    )
    torch.testing.assert_close(both.condition, torch.cat([p.condition for p in parts]))


@pytest.mark.parametrize(
    "options", [{}, {"ridge": 0.1}, {"method": "rbf"}, {"sigma": 1.5}], ids=str
)
def test_slopes_of_affine_functions_are_right_everywhere(options):
    """A ridge makes them too small, but constants have none even then."""
    pos, slope = cloud(300, 3), torch.tensor([0.3, -2.0, 1.1]).double()
    edge_index = graph(pos, 24)
    found = stencil(pos, edge_index, **options)
    error = (derivatives(found, edge_index, pos @ slope + 5)[:, 1:4] - slope).abs().max()
    assert 0.1 < error < 2 if "ridge" in options else error < 1e-10
    torch.testing.assert_close(
        derivatives(found, edge_index, torch.ones(300).double())[:, 1:],
        torch.zeros(300, 9).double(),
        rtol=0,
        atol=1e-9,
    )


@pytest.mark.parametrize(("dim", "degree", "k"), [(2, 2, 12), (2, 3, 20), (3, 2, 24)])
@pytest.mark.parametrize("method", METHODS)
def test_orders_of_convergence(dim, degree, k, method):
    """Of one neighbourhood that shrinks, errors of order n fall at least as h^(degree + 1 - n)."""
    x = torch.from_numpy(np.random.default_rng(3).normal(size=(k, dim)))
    hood = neighbourhoods(torch.stack([torch.arange(k), torch.zeros(k).long()]), 1)
    powers = exponents_up_to(dim, 2)
    errors = []
    for h in (0.04, 0.02):
        f = torch.sin((h * x).sum(1) + 0.4)
        expected = torch.sin(0.4 + math.pi / 2 * torch.from_numpy(powers.sum(1)).double())
        error = f @ cloud_stencil(h * x, hood, 2, method, degree).weight - expected
        errors.append([float(error[powers.sum(1) == n].norm()) for n in range(3)])
    assert (np.log2(np.divide(*errors)) > [degree + 0.7, degree - 0.3, degree - 1.3]).all()


@pytest.mark.parametrize(
    ("method", "options"), [("least_squares", {}), ("least_squares", {"ridge": 0.1}), ("rbf", {})]
)
def test_forces_may_train_through_weights(method, options):
    """Also at the point itself, an edge of length 0, and with slots that are not used."""
    x = torch.from_numpy(np.random.default_rng(4).normal(size=(15, 2)))
    x[3] = 0
    target = torch.tensor([0] * 8 + [1] * 7)
    hood = neighbourhoods(torch.stack([torch.arange(15), target]), 2)

    def weights(offset):
        return cloud_stencil(offset, hood, 2, method, **options).weight

    assert gradcheck(weights, x.requires_grad_(), fast_mode=True) and gradgradcheck(
        weights, x, fast_mode=True
    )


def test_many_blocks_are_one(monkeypatch):
    pos, f = cloud(60, 3).requires_grad_(), cloud(60, 1, seed=1).squeeze(1)
    edge_index = radius_graph(pos.detach(), 0.7)
    found = []
    for block_edges in (1, 300, 100_000):  # with hardly any unused slots, and with many
        monkeypatch.setattr(cloud_stencils, "_BLOCK_EDGES", block_edges)
        weight = stencil(pos, edge_index).weight
        (gradient,) = torch.autograd.grad((weight * f[edge_index[0], None]).square().sum(), pos)
        found.append((weight.detach(), gradient))
    for other in found[1:]:
        torch.testing.assert_close(other, found[0])


@pytest.mark.parametrize("method", METHODS)
def test_points_that_coincide_count_once_or_twice_but_never_break(method):
    pos = cloud(40, 2)
    pos = torch.cat([pos, pos[:10]]).requires_grad_()
    edge_index = graph(pos.detach(), 16)
    found = stencil(pos, edge_index, 2, method)
    f, expected = polynomial(pos.detach(), exponents_up_to(2, 2), 2)
    torch.testing.assert_close(
        derivatives(found, edge_index, f).detach(), expected, rtol=0, atol=1e-8
    )
    (gradient,) = torch.autograd.grad(found.weight.square().sum(), pos)
    assert gradient.isfinite().all()


def in_a_plane(count, rank):
    """Points in space on a plane or a line through 0, and an orthonormal basis.

    First along it, then across.
    """
    basis = orthogonal(3, 0, 1)
    return 2 * spread(count, rank) @ basis[:, :rank].T, basis


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("rank", [1, 2])
def test_points_on_a_line_or_a_plane_give_what_they_determine(rank, method):
    """Derivatives along it are right, those across it 0; and all that turns exactly with space."""
    pos, basis = in_a_plane(60, rank)
    edge_index = graph(pos, 16)
    with pytest.warns(
        StencilWarning, match="neighbours of 60 of 60 nodes .0, 1, 2, 3, 4, .* do not determine all"
    ):
        found = stencil(pos, edge_index, 2, method)
    assert found.condition.isinf().all()
    along, across = basis[:, 0], basis[:, 2]
    t = pos @ along
    f = 1 + t - t**2
    for direction, expected in (
        (along, torch.stack([f, 1 - 2 * t, -2 + 0 * t], 1)),
        (across, f[:, None] * torch.tensor([1, 0, 0])),
    ):
        weight = directional(found.weight, direction, 2)
        result = (
            torch.zeros(60, 3).double().index_add(0, edge_index[1], weight * f[edge_index[0], None])
        )
        torch.testing.assert_close(result, expected, rtol=0, atol=1e-8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StencilWarning)
        assert motion_error(pos, edge_index, lambda p, e: stencil(p, e, 2, method), sign=-1) < 1e-9


@pytest.mark.parametrize("method", METHODS)
def test_too_few_neighbours_give_what_they_determine(method):
    """Of five points in space: an affine function's slope is one that fits.

    Of one point and of none it is 0.
    """
    pos = cloud(7, 3)
    hood = torch.tensor(
        [[1, 2, 3, 4, 0, 3], [0, 0, 0, 0, 0, 1]]
    )  # of node 0: four and itself; of node 1: one; others: none
    with pytest.warns(StencilWarning, match="of 7 of 7 nodes"):
        found = stencil(pos, hood, 2, method)
    assert found.weight.isfinite().all() and found.condition.isinf().all()
    torch.testing.assert_close(
        found.weight[:5].sum(0), torch.eye(10).double()[0], rtol=0, atol=1e-8
    )
    torch.testing.assert_close(found.weight[5], torch.eye(10).double()[0], rtol=0, atol=1e-12)


def test_all_at_one_place():
    with pytest.warns(StencilWarning):
        found = stencil(torch.ones(4, 2).double().requires_grad_(), graph(torch.ones(4, 2), 4))
    expected = torch.eye(6).double()[:1] / 4
    torch.testing.assert_close(found.weight.detach(), expected.expand(16, -1))
    found.weight.sum().backward()


def test_a_hole_in_the_cloud():
    """Points on its rim have one-sided neighbours: still exact."""
    pos = cloud(400, 2)
    pos = pos[(pos - 0.5).norm(dim=1) > 0.25]
    edge_index = graph(pos, 14)
    found = stencil(pos, edge_index)
    f, expected = polynomial(pos, exponents_up_to(2, 2), 2)
    torch.testing.assert_close(derivatives(found, edge_index, f), expected, rtol=0, atol=1e-8)


def test_no_edges_and_no_nodes():
    found = cloud_stencil(torch.zeros(0, 3), neighbourhoods(NOTHING, 0), 2)
    assert found.weight.shape == (0, 10) and found.condition.shape == (0,)
    with pytest.warns(StencilWarning, match="of 2 of 2 nodes .0, 1. do not"):
        found = cloud_stencil(torch.zeros(0, 3), neighbourhoods(NOTHING, 2), 2)
    assert found.weight.shape == (0, 10) and found.condition.isinf().all()


@pytest.mark.parametrize(
    ("offset", "text"),
    [
        (torch.zeros(3, 2), r"one row for each of the 4 edges; got torch.float32 \(3, 2\)"),
        (torch.zeros(4), r"got torch.float32 \(4,\)"),
        (torch.zeros(4, 2, dtype=torch.long), r"got torch.int64 \(4, 2\)"),
        (
            torch.tensor([[0.0, 0], [1, 0], [math.nan, 0], [0, 1]]),
            r"edges \[2\] are NaN or infinite",
        ),
        (
            torch.tensor([[0.0, 0], [1, 0], [0, 0], [0, 1e200]]).double() * 1e200,
            r"edges \[1, 3\] are NaN or infinite",
        ),
    ],
)
def test_bad_offsets(offset, text):
    with pytest.raises(ValueError, match=text):
        cloud_stencil(offset, neighbourhoods(torch.tensor([[0, 1, 2, 3], [0, 0, 0, 0]]), 4), 1)
