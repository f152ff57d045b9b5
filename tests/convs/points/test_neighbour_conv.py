"""Convolution over shared edges: a kernel per edge, parts of graphs, and what is measured."""

import pytest
import torch

from convs.points.test_engines import cases, field_of
from oracles.groups import EVERY, name
from oracles.per_edge import per_edge_conv
from steerable.convs.points.neighbour_conv import NeighbourConv
from steerable.filters.harmonic import HarmonicFilter
from steerable.groups import O3
from steerable.layers import Full
from steerable.ops import Edges, radius_graph

DOUBLE = torch.float64
MODULE = "steerable.convs.points.neighbour_conv"


@pytest.mark.parametrize(
    ("recompute", "text"), [(False, r"keeps about 0\.0 GB .* Set recompute=True"), (True, "Cut")]
)
def test_a_graph_larger_than_memory_is_told_what_to_turn_on(monkeypatch, recompute, text):
    conv, x, pos, edges = next(cases(O3(), Full, recompute=recompute))

    def full(*_):
        torch.empty(2**60)

    monkeypatch.setattr("steerable.convs.points.neighbour_conv.blockwise", full)
    with pytest.raises(
        MemoryError,
        match=rf"PointConv on 9 nodes and {edges.shape[1]} edges ran out of memory.*{text}",
    ):
        conv(x, pos, edges)


def layer_of(group, **options):
    filter = HarmonicFilter(2, 2.0, channels=3, group=group)
    fields = field_of(group, 4), field_of(group, 2)
    return NeighbourConv(*fields, filter, **options).double()


def cloud(group, nodes=9):
    pos = torch.randn(nodes, group.dim, dtype=DOUBLE)
    return pos, radius_graph(pos, 2.0)


@pytest.mark.parametrize("group", EVERY, ids=name)
def test_it_commutes_and_is_the_sum_with_a_kernel_per_edge(group):
    conv, (pos, index) = layer_of(group, neighbours=4.0), cloud(group)
    x = torch.randn(9, conv.field_in.dim, dtype=DOUBLE)
    y = conv(x, Edges.between(pos, index))
    torch.testing.assert_close(y, per_edge_conv(conv, x, pos, index), atol=1e-12, rtol=0)
    for g in group.sample(3, torch.Generator().manual_seed(0)):
        result = conv(x @ conv.field_in.matrix(g).T, Edges.between(pos @ g.T, index))
        torch.testing.assert_close(result, y @ conv.field_out.matrix(g).T, atol=1e-11, rtol=0)


@pytest.mark.parametrize("recompute", [None, True, False])
@pytest.mark.parametrize("contraction", ["full", "depthwise"])
def test_graphs_in_parts_are_the_whole(contraction, recompute, monkeypatch):
    conv = layer_of(O3(), neighbours=4.0, contraction=contraction, recompute=recompute)
    pos, index = cloud(O3())
    index = index[:, torch.randperm(index.shape[1])]
    x = torch.randn(9, conv.field_in.dim, dtype=DOUBLE, requires_grad=True)
    pos.requires_grad_()
    leaves, results = [x, pos, *conv.parameters()], []
    for at_once in (10**6, 7):
        monkeypatch.setattr(f"{MODULE}._SEPARABLE_AT_ONCE", at_once)
        y = conv(x, Edges.between(pos, index))
        results.append([y, *torch.autograd.grad(y.pow(3).sum(), leaves)])
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, atol=1e-10, rtol=1e-10)


def test_what_is_measured_on_the_first_graph():
    """The mean square of the sums, at targets that have any, over that of the features."""
    conv, (pos, index) = layer_of(O3()), cloud(O3())
    index = index[:, index[1] > 2]  # three targets have no neighbours
    x = 5 * torch.randn(9, conv.field_in.dim, dtype=DOUBLE)
    y = conv(x, Edges.between(pos, index)).detach()
    reached = y[index[1].unique()]
    assert float(reached.square().mean()) == pytest.approx(float(x.square().mean()), rel=1e-6)
    assert y[:3].eq(0).all()
    n = float(conv.neighbours)
    conv(2 * x, Edges.between(3 * pos, index))
    assert float(conv.neighbours) == n  # the first graph alone


def _with_outliers(x, rows, factor=1e8):
    return torch.cat([factor * x[:rows], x[rows:]])


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("rows", [1, 2])
def test_graphs_with_outliers_are_not_measured(rows, compiled):
    """What they give would depend on how many neighbours these nodes have; the next one counts."""
    torch._dynamo.reset()
    conv, (pos, index) = layer_of(O3()), cloud(O3())
    x, edges = torch.randn(9, conv.field_in.dim, dtype=DOUBLE), Edges.between(pos, index)
    conv(x, edges)
    clean = conv.neighbours.clone()
    conv.forget_scale()
    layer = torch.compile(conv, fullgraph=True, backend="aot_eager") if compiled else conv
    layer(_with_outliers(x, rows), edges)
    assert conv.neighbours.isnan()
    layer(x, edges)
    torch.testing.assert_close(conv.neighbours, clean)


def test_half_precision_regions_compute_in_the_precision_of_the_weights():
    conv, (pos, index) = layer_of(O3(), neighbours=4.0).float(), cloud(O3())
    x, edges = torch.randn(9, conv.field_in.dim), Edges.between(pos.float(), index)
    with torch.autocast("cpu", torch.bfloat16):
        result = conv(x.bfloat16(), edges)
    torch.testing.assert_close(result, conv(x.bfloat16().float(), edges), atol=1e-5, rtol=0)


class Transposed(HarmonicFilter):
    def forward(self, offset, attributes=None):
        return super().forward(offset, attributes).transpose(1, 2)

    def radial(self, offset, attributes=None):
        return super().radial(offset, attributes)[:, :1]


@pytest.mark.parametrize(
    ("contraction", "engine", "text"),
    [
        ("full", "moments", r"Transposed returns \(edge, 2, 4\): 2 channels of 1x0e\+1x1o; got"),
        (
            "depthwise",
            "radial",
            r"Transposed\.radial returns \(edge, 2\): 2 channels .*; got \(12, 1\)",
        ),
    ],
)
def test_filters_of_another_shape_are_refused(contraction, engine, text):
    """In another order of axes their numbers would be summed without an error."""
    pos = torch.randn(4, 3)
    edges = Edges.between(pos, radius_graph(pos, 100.0))
    filter = Transposed(1, 2.0, channels=2)
    conv = NeighbourConv("4x0e", "6x0e", filter, contraction, engine=engine)
    with pytest.raises(ValueError, match=text):
        conv(torch.randn(4, 4), edges)


def test_errors():
    filter = HarmonicFilter(1, 2.0)
    with pytest.raises(TypeError, match=r"filter has a field.*howto/filter.md\); got None"):
        NeighbourConv("4x0e", "6x0e", None)
    with pytest.raises(
        ValueError,
        match="engine is one of auto, aggregate, moments, messages, source, frame; got 'radial'",
    ):
        NeighbourConv("4x0e", "6x0e", filter, engine="radial")
    with pytest.raises(ValueError, match="contraction is one of full, depthwise; got 'half'"):
        NeighbourConv("4x0e", "6x0e", filter, "half")
    with pytest.raises(ValueError, match="aggregation is one of sum, .*; got 'median'"):
        NeighbourConv("4x0e", "6x0e", filter, aggregation="median")
    with pytest.raises(ValueError, match="A maximum is defined for invariants; got 1x1o. Use sum"):
        NeighbourConv("4x0e", "1x1o", filter, aggregation="max")
