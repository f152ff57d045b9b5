"""The order `radial` by loops and by blocks.

The same sums and the same first and second derivatives.
"""

import pytest
import torch

from steerable import Field
from steerable.convs import NeighbourConv
from steerable.convs.points.point_conv import PointConv
from steerable.convs.points.radial import Radial
from steerable.convs.points.radial_loops import RadialLoops
from steerable.filters.harmonic import HarmonicFilter
from steerable.groups import O3, SO3, irreps, point_group
from steerable.ops import Edges, Inputs, neighbourhoods, radius_graph

DOUBLE = torch.float64


def layer(group, copies, dtype=DOUBLE, degree=2):
    torch.manual_seed(0)
    fields = (
        Field(group, tuple((copies + k, irrep) for k, irrep in enumerate(irreps(group, degree))))
        for k in range(2)
    )
    conv = PointConv(
        *fields, HarmonicFilter(degree, 2.0, channels=5, group=group), "depthwise", neighbours=4.0
    )
    conv.engine = Radial.name
    return conv.to(dtype)


def cloud(nodes=12, shuffled=True, dtype=DOUBLE):
    torch.manual_seed(1)
    pos = torch.randn(nodes, 3, dtype=dtype)
    pos[-1] = 50.0  # a node without neighbours
    edges = radius_graph(pos, 2.0)
    return pos, edges[:, torch.randperm(edges.shape[1])] if shuffled else edges


def derivatives(conv, x, pos, edges):
    leaves = [x.clone().requires_grad_(), pos.clone().requires_grad_()]
    y = conv(*leaves, edges)
    leaves += conv.parameters()
    first = torch.autograd.grad(y.pow(3).sum(), leaves, create_graph=True)
    second = torch.autograd.grad(
        sum(g.square().sum() for g in first[:2]), leaves, allow_unused=True
    )
    return [y, *first, *(s for s in second if s is not None)]


@pytest.fixture
def blocks(monkeypatch):
    """Call it, and there are no loops any more."""
    return lambda: monkeypatch.setattr(RadialLoops, "of", classmethod(lambda *_: None))


@pytest.fixture(autouse=True)
def loops():
    conv = layer(O3(), 1)
    if RadialLoops.of(conv.contraction.bind(), Inputs([], [], [])) is None:
        pytest.skip("there is no C compiler")


@pytest.mark.parametrize("at_once", [False, True])  # a small graph is summed by one call
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("copies", [1, 15, 31, 47])  # and one and two more: all ways to cut them
def test_loops_are_blocks(copies, shuffled, threads, at_once, blocks, monkeypatch):
    conv, (pos, edges) = layer(O3(), copies), cloud(shuffled=shuffled)
    x = torch.randn(len(pos), conv.field_in.dim, dtype=DOUBLE)
    monkeypatch.setattr("steerable.convs.points.radial_loops._CHUNK", 4096)  # several chunks
    few = 1024 if at_once else 0
    monkeypatch.setattr("steerable.convs.points.radial_loops._FEW_EDGES", few)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        found = derivatives(conv, x, pos, edges)
    finally:
        torch.set_num_threads(before)
    blocks()
    for a, b in zip(found, derivatives(conv, x, pos, edges), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-11 * float(b.detach().abs().max()))


def test_single_precision_and_a_finite_group(blocks):
    conv, (pos, edges) = layer(point_group("Td"), 3, torch.float32), cloud(dtype=torch.float32)
    x = torch.randn(len(pos), conv.field_in.dim)
    found = conv(x, pos, edges)
    exact = layer(point_group("Td"), 3)
    exact.load_state_dict(conv.state_dict())
    torch.testing.assert_close(
        found.double(), exact(x.double(), pos.double(), edges), rtol=1e-5, atol=1e-5
    )
    blocks()
    torch.testing.assert_close(found, conv(x, pos, edges), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE], ids=["single", "double"])
@pytest.mark.parametrize("copies", [1, 7, 15])  # one vector, and two where irreps are small
@pytest.mark.parametrize("group", [point_group("Td"), point_group("C4"), SO3()], ids=str)
def test_irreps_of_every_group(group, copies, dtype, blocks):
    conv, (pos, edges) = layer(group, copies, dtype), cloud(dtype=dtype)
    assert_blocks_agree(conv, pos, edges, blocks, 1e-11 if dtype == DOUBLE else 1e-4)


def test_irreps_larger_than_those_that_the_compiler_knows(blocks):
    conv, (pos, edges) = layer(O3(), 9, degree=3), cloud()
    assert max(size.m_o for size in conv.contraction.paths.sizes()) == 7
    assert_blocks_agree(conv, pos, edges, blocks, 1e-11)


@pytest.mark.parametrize("at_once", [False, True])
def test_targets_with_more_edges_than_are_worked_on_together(at_once, blocks, monkeypatch):
    few = 10_000 if at_once else 0
    monkeypatch.setattr("steerable.convs.points.radial_loops._FEW_EDGES", few)
    conv, (pos, edges) = layer(O3(), 9), cloud(40)
    degrees = edges[1].bincount(minlength=40)
    assert degrees.max() > 16 and degrees.min() == 0 and (degrees % 16 == 1).any()
    assert_blocks_agree(conv, pos, edges, blocks, 1e-11)


def assert_blocks_agree(conv, pos, edges, blocks, tolerance):
    x = torch.randn(len(pos), conv.field_in.dim, dtype=pos.dtype)
    results = derivatives(conv, x, pos, edges)
    blocks()
    for a, b in zip(results, derivatives(conv, x, pos, edges), strict=True):
        size = float(b.detach().abs().max())
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance * size)


def test_a_layer_that_changes_its_precision_has_constants_of_that_precision(blocks):
    pos, edges = cloud()
    conv = layer(O3(), 2, torch.float32)
    x = torch.randn(len(pos), conv.field_in.dim)
    conv(x, pos.float(), edges)
    found = conv.double()(x.double(), pos, edges)
    blocks()
    torch.testing.assert_close(found, conv(x.double(), pos, edges), rtol=1e-13, atol=1e-13)


def test_no_edges_no_nodes_and_nan():
    conv, (pos, edges) = layer(O3(), 2), cloud()
    x = torch.randn(len(pos), conv.field_in.dim, dtype=DOUBLE, requires_grad=True)
    conv(x, pos, edges[:, :0]).sum().backward()
    assert not x.grad.any()
    assert conv(x[:0], pos[:0], edges[:, :0]).shape == (0, conv.field_out.dim)
    marked = x.detach().clone()
    marked[0] = torch.nan
    reached = edges[1][edges[0] == 0].unique()
    spoilt = conv(marked, pos, edges).isnan().any(1).nonzero().flatten()
    assert spoilt.tolist() == reached.tolist()


def test_neighbourhoods_of_other_sources_are_refused():
    conv, (pos, edges) = layer(O3(), 2), cloud()
    edges[0, 0] = 99
    x = torch.randn(len(pos), conv.field_in.dim, dtype=DOUBLE)
    hood = neighbourhoods(edges, len(pos))
    with pytest.raises(ValueError, match="sources up to number 99; there are 12 sources"):
        conv(x, pos, hood)
    offset = torch.randn(edges.shape[1], 3, dtype=DOUBLE)
    with pytest.raises(IndexError, match="Sources are numbers from 0 to 11; got 0 to 99"):
        NeighbourConv.forward(conv, x, Edges(edges, offset, len(pos), hood))


def test_a_graph_without_derivatives_for_some_inputs(blocks):
    conv, (pos, edges) = layer(O3(), 2), cloud()
    x = torch.randn(len(pos), conv.field_in.dim, dtype=DOUBLE, requires_grad=True)
    conv.requires_grad_(False)
    (found,) = torch.autograd.grad(conv(x, pos, edges).pow(2).sum(), x)
    blocks()
    (wanted,) = torch.autograd.grad(conv(x, pos, edges).pow(2).sum(), x)
    torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-12)
