"""The order `messages` by loops: the sums with a kernel per edge, and what blocks derive."""

from functools import partial

import pytest
import torch

from convs.points.test_radial_loops import cloud, derivatives
from oracles.per_edge import per_edge_conv
from steerable import Field
from steerable.convs import NeighbourConv
from steerable.convs.points.message_loops import MessageLoops
from steerable.convs.points.point_conv import PointConv
from steerable.filters import HarmonicFilter
from steerable.groups import O2, O3, SO3, irreps, point_group
from steerable.layers import Full
from steerable.ops import Edges, Inputs, neighbourhoods, radius_graph

DOUBLE = torch.float64
FEW_EDGES = "steerable.convs.points.message_loops._FEW_EDGES"


def layer(group, copies, channels=5, dtype=DOUBLE, degree=2, field_in=None):
    torch.manual_seed(0)
    copied = [
        Field(group, tuple((copies + k, irrep) for k, irrep in enumerate(irreps(group, degree))))
        for copies in (copies, copies + 1)
    ]
    filter = HarmonicFilter(degree, 2.0, channels=channels, group=group)
    return PointConv(
        field_in or copied[0], copied[1], filter, neighbours=4.0, engine="messages"
    ).to(dtype)


@pytest.fixture
def blocks(monkeypatch):
    """Call it, and there are no loops any more."""
    return lambda: monkeypatch.setattr(MessageLoops, "of", classmethod(lambda *_: None))


@pytest.fixture(autouse=True)
def loops():
    if MessageLoops.of(layer(O3(), 1).contraction.bind(), Inputs([], [], [])) is None:
        pytest.skip("there is no C compiler")


def compare(results, wanted, tolerance=1e-11):
    for a, b in zip(results, wanted, strict=True):
        scale = float(b.detach().abs().max())
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance * scale)


@pytest.mark.parametrize("few", [0, 1024])  # by products of matrices, or at once
@pytest.mark.parametrize("group", [O3(), SO3(), O2(), point_group("Td")], ids=str)
@pytest.mark.parametrize(("copies", "channels"), [(1, 3), (5, 8), (7, 12), (16, 1)])
def test_loops_are_the_sum_with_a_kernel_per_edge(group, copies, channels, few, monkeypatch):
    monkeypatch.setattr(FEW_EDGES, few)
    conv = layer(group, copies, channels, degree=1)
    pos = torch.randn(40, group.dim, dtype=DOUBLE)  # some have more edges than fit a block
    pos[-1] = 50.0
    edges = radius_graph(pos, 2.0)
    edges = edges[:, torch.randperm(edges.shape[1])]
    x = torch.randn(len(pos), conv.field_in.dim, dtype=DOUBLE)
    assert torch.bincount(edges[1]).max() > 16
    torch.testing.assert_close(
        conv(x, pos, edges), per_edge_conv(conv, x, pos, edges), atol=1e-11, rtol=1e-11
    )


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize(("copies", "channels"), [(1, 5), (3, 8), (8, 12), (15, 4)])
def test_derivatives_are_those_of_blocks(copies, channels, shuffled, threads, blocks, monkeypatch):
    conv, (pos, edges) = layer(O3(), copies, channels), cloud(20, shuffled)
    x = torch.randn(len(pos), conv.field_in.dim, dtype=DOUBLE)
    chunk = "steerable.convs.points.message_loops._CHUNK"
    monkeypatch.setattr(chunk, 2**16)  # several chunks
    monkeypatch.setattr(FEW_EDGES, 0)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        results = derivatives(conv, x, pos, edges)
    finally:
        torch.set_num_threads(before)
    blocks()
    compare(results, derivatives(conv, x, pos, edges))


def test_single_precision(blocks):
    conv, (pos, edges) = layer(O3(), 3, dtype=torch.float32), cloud(dtype=torch.float32)
    x = torch.randn(len(pos), conv.field_in.dim)
    results = derivatives(conv, x, pos, edges)
    exact = layer(O3(), 3)
    exact.load_state_dict(conv.state_dict())
    compare(
        [r.double() for r in results], derivatives(exact, x.double(), pos.double(), edges), 1e-4
    )


def test_derivatives_pass_gradcheck_and_gradgradcheck():
    conv, (pos, edges) = layer(O3(), 2, 3, degree=1), cloud(8)
    x = torch.randn(7, conv.field_in.dim, dtype=DOUBLE, requires_grad=True)
    pos = pos[:7].clone().requires_grad_()
    edges = edges[:, (edges < 7).all(0)]
    weights = tuple(conv.contraction.parameters())

    def of_all(x, pos, *_):
        return conv(x, pos, edges)

    assert torch.autograd.gradcheck(of_all, (x, pos, *weights), fast_mode=True)
    assert torch.autograd.gradgradcheck(of_all, (x, pos), fast_mode=True)


@pytest.mark.parametrize("wanted", ["x", "pos", "weights", "filter"])
def test_gradients_that_are_not_needed_are_left_out(wanted, blocks):
    conv, (pos, edges) = layer(O3(), 2), cloud()
    x = torch.randn(len(pos), conv.field_in.dim, dtype=DOUBLE)
    conv.requires_grad_(False)
    parts = {"weights": conv.contraction.parameters(), "filter": conv.filter.parameters()}
    leaves = [x] if wanted == "x" else [pos] if wanted == "pos" else [*parts[wanted]]
    for leaf in leaves:
        leaf.requires_grad_()
    results = torch.autograd.grad(conv(x, pos, edges).pow(2).sum(), leaves)
    blocks()
    compare(results, torch.autograd.grad(conv(x, pos, edges).pow(2).sum(), leaves))


@pytest.mark.parametrize("few", [0, 1024])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("channels", [3, 8, 12])  # vectors of copies or of channels are fewer
def test_features_of_few_copies(channels, threads, few, blocks, monkeypatch):
    monkeypatch.setattr(FEW_EDGES, few)
    conv, (pos, edges) = layer(SO3(), 3, channels, field_in="5x0"), cloud(20)
    kinds = torch.eye(5, dtype=DOUBLE)[torch.arange(len(pos)) % 5]
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        results = derivatives(conv, kinds, pos, edges)
    finally:
        torch.set_num_threads(before)
    blocks()
    compare(results, derivatives(conv, kinds, pos, edges))


def test_kinds_that_need_no_gradient():
    filter, (pos, edges) = HarmonicFilter(2, 2.0, channels=8), cloud(20)
    conv = PointConv("5x0e", "3x0e+2x1o+1x2e", filter, neighbours=4.0, engine="messages").double()
    kinds = torch.eye(5, dtype=DOUBLE)[torch.arange(len(pos)) % 5]
    leaves = [pos.requires_grad_(), *conv.parameters()]
    y, wanted = conv(kinds, pos, edges), per_edge_conv(conv, kinds, pos, edges)
    torch.testing.assert_close(y, wanted, rtol=1e-12, atol=1e-12)
    first = torch.autograd.grad(y.pow(2).sum(), leaves, create_graph=True)
    exact = torch.autograd.grad(wanted.pow(2).sum(), leaves, create_graph=True)
    compare(first, exact)
    second = torch.autograd.grad(first[0].square().sum(), leaves)
    compare(second, torch.autograd.grad(exact[0].square().sum(), leaves))


def test_other_contractions_and_numbers_are_left_to_blocks():
    full = partial(Full, groups=2)
    for contraction, dtype in ((full, DOUBLE), ("depthwise", DOUBLE), ("full", torch.bfloat16)):
        conv = PointConv("2x0e", "2x0e", HarmonicFilter(1, 2.0), contraction).to(dtype)
        assert MessageLoops.of(conv.contraction.bind(), Inputs([], [], [])) is None


def test_no_edges_no_nodes_and_nan():
    conv, (pos, edges) = layer(O3(), 3), cloud()
    x = torch.randn(len(pos), conv.field_in.dim, dtype=DOUBLE, requires_grad=True)
    conv(x, pos, edges[:, :0]).sum().backward()
    assert not x.grad.any()
    assert conv(x[:0], pos[:0], edges[:, :0]).shape == (0, conv.field_out.dim)
    marked = x.detach().clone()
    marked[0] = torch.nan
    reached = edges[1][edges[0] == 0].unique()
    spoilt = conv(marked, pos, edges).isnan().any(1).nonzero().flatten()
    assert spoilt.tolist() == reached.tolist()


def test_a_gradient_that_is_nan_reaches_neighbours_alone():
    conv, (pos, edges) = layer(O3(), 3), cloud()
    x = torch.randn(len(pos), conv.field_in.dim, dtype=DOUBLE, requires_grad=True)
    y = conv(x, pos, edges)
    (gradient,) = torch.autograd.grad(
        y, x, torch.zeros_like(y).index_fill(0, torch.tensor(3), torch.nan)
    )
    spoilt = gradient.isnan().any(1).nonzero().flatten()
    assert spoilt.tolist() == edges[0][edges[1] == 3].sort().values.tolist()


def test_sources_that_are_not_there_are_refused():
    conv, (pos, edges) = layer(O3(), 2), cloud()
    edges[0, 0] = 99
    x = torch.randn(len(pos), conv.field_in.dim, dtype=DOUBLE)
    offset = torch.randn(edges.shape[1], 3, dtype=DOUBLE)
    hood = neighbourhoods(edges, len(pos))
    with pytest.raises(IndexError, match="Sources are numbers from 0 to 11; got 0 to 99"):
        NeighbourConv.forward(conv, x, Edges(edges, offset, len(pos), hood))


@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE])
@pytest.mark.parametrize("field_in", [None, "5x0"])
def test_a_small_graph_at_once(dtype, field_in, monkeypatch):
    conv, (pos, edges) = layer(SO3(), 3, dtype=dtype, field_in=field_in), cloud(20, dtype=dtype)
    x = torch.randn(len(pos), conv.field_in.dim, dtype=dtype)
    with torch.no_grad():
        at_once = conv(x, pos, edges)
        monkeypatch.setattr("steerable.convs.points.message_loops._FEW_PRODUCTS", 0)
        compare([at_once], [conv(x, pos, edges)], 1e-11 if dtype == DOUBLE else 1e-5)
        none = conv(x[:0], pos[:0], edges[:, :0])
    assert none.shape == (0, conv.field_out.dim)
