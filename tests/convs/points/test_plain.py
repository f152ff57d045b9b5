"""The plain order is the sum with a kernel per edge, and follows every derivative."""

from functools import partial

import pytest
import torch

from oracles.groups import EVERY, name
from oracles.per_edge import per_edge_conv
from steerable import Field
from steerable.convs.points.graph import Graph
from steerable.convs.points.neighbour_conv import NeighbourConv
from steerable.convs.points.plain import plain_sum
from steerable.convs.points.point_conv import PointConv
from steerable.filters import HarmonicFilter, ImplicitFilter
from steerable.groups import irreps
from steerable.layers import Depthwise, Full
from steerable.ops import Edges, radius_graph

DOUBLE = torch.float64
KINDS = {
    "full": Full,
    "groups": partial(Full, groups=2),
    "depthwise": Depthwise,
    "rank": partial(Depthwise, rank=3),
}


def plain(conv, x, pos, edge_index):
    """The layer's sum by the plain order."""
    contraction, edges = conv.contraction, Edges.between(pos, edge_index)
    values = conv._plain_values(Graph(edges, x, x))
    features = contraction.paths.split(contraction.before(x))
    y = plain_sum(contraction.bind(), values, features, edge_index, pos.shape[0])
    return y * conv.scale_factor()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("group", EVERY, ids=name)
def test_it_is_the_sum_with_a_kernel_per_edge(group, kind):
    torch.manual_seed(0)
    pos = torch.randn(8, group.dim, dtype=DOUBLE)
    edges = radius_graph(pos, 2.0)
    edges = edges[:, torch.randperm(edges.shape[1])]
    field = Field(group, tuple((4, irrep) for irrep in irreps(group, 1)))
    x = torch.randn(8, field.dim, dtype=DOUBLE)
    for filter in (
        HarmonicFilter(2, 2.0, channels=3, hidden=(), group=group),
        ImplicitFilter(Field(group, field.terms[:2]), 2.0, channels=2, hidden=2),
    ):
        conv = PointConv(field, field[:1], filter, KINDS[kind], neighbours=4.0).double()
        torch.testing.assert_close(
            plain(conv, x, pos, edges),
            per_edge_conv(conv, x, pos, edges),
            atol=1e-12,
            rtol=1e-12,
        )


@pytest.mark.parametrize("kind", ["full", "depthwise"])
def test_its_second_derivatives_are_those_of_the_layer(kind):
    torch.manual_seed(0)
    conv = NeighbourConv(
        "2x0e+2x1o", "2x0e+2x1o", HarmonicFilter(1, 2.0, channels=3), kind, neighbours=4.0
    ).double()
    pos = torch.randn(6, 3, dtype=DOUBLE, requires_grad=True)
    x, edges = torch.randn(6, 8, dtype=DOUBLE, requires_grad=True), radius_graph(pos, 2.0)
    leaves = [pos, x, *conv.parameters()]
    results = []
    for y in (plain(conv, x, pos, edges), conv(x, Edges.between(pos, edges))):
        (force,) = torch.autograd.grad(y.pow(3).sum(), pos, create_graph=True)
        second = torch.autograd.grad(force.square().sum(), leaves, allow_unused=True)
        results.append([y, force, *(g for g in second if g is not None)])
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, atol=1e-10, rtol=1e-9)
