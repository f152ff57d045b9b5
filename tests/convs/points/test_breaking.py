"""Breaking a symmetry on purpose.

A vector as attribute leaves an O(3) network its stabiliser, graph by graph.
"""

import torch

from steerable import Field
from steerable.certify import EDGE_INDEX, POSITIONS, Role, certify
from steerable.convs.points.point_conv import PointConv
from steerable.filters.implicit import ImplicitFilter
from steerable.groups import axial
from steerable.ops import radius_graph

DOUBLE = torch.float64


def conv_and_graph():
    torch.manual_seed(0)
    filter = ImplicitFilter("0e+1o+1e+2e", 2.0, "1x1o+1x1o", channels=3, hidden=4)
    conv = PointConv("2x0e+2x1o", "2x0e+2x1o", filter).double()
    pos = torch.randn(8, 3, dtype=DOUBLE)
    return conv, torch.randn(8, conv.field_in.dim, dtype=DOUBLE), pos, radius_graph(pos, 2.0)


def test_a_direction_leaves_the_axial_group():
    conv, x, pos, edges = conv_and_graph()
    axis = torch.tensor([1.0, 2, 3], dtype=DOUBLE)
    field = axis.expand(8, 3)
    inputs = [(x, Role(field=conv.field_in)), (pos, POSITIONS), (edges, EDGE_INDEX)]
    output = Role(field=conv.field_out)

    def fixed(x, pos, edges):
        return conv(x, pos, edges, node_attr=field)

    assert certify(fixed, inputs, output, axial("Cinfv", axis.numpy())).error < 1e-11
    assert certify(fixed, inputs, output).error > 1e-2
    assert certify(fixed, inputs, output, axial("Cinfh", axis.numpy())).error > 1e-2
    turning = [*inputs, (field, Role(field=Field.parse("1o")))]
    assert certify(lambda x, p, e, f: conv(x, p, e, node_attr=f), turning, output).error < 1e-11


def test_every_graph_of_a_batch_has_an_axis_of_its_own():
    conv, x, pos, edges = conv_and_graph()
    axes = torch.tensor([[1.0, 2, 3], [-2, 0, 1]], dtype=DOUBLE)
    batch = torch.arange(16) // 8
    both = torch.cat([x, x]), torch.cat([pos, pos]), torch.cat([edges, edges + 8], 1)
    field = axes[batch]
    turns = torch.cat(
        [axial("Cinfv", axis.numpy()).sample(1, torch.Generator().manual_seed(1)) for axis in axes]
    )[batch]
    matrix = conv.field_in.matrix(turns)
    moved = conv(
        torch.einsum("nij,nj->ni", matrix, both[0]),
        torch.einsum("nij,nj->ni", turns, both[1]),
        both[2],
        node_attr=field,
    )
    wanted = torch.einsum("nij,nj->ni", conv.field_out.matrix(turns), conv(*both, node_attr=field))
    torch.testing.assert_close(moved, wanted, atol=1e-11, rtol=0)
    assert (turns[0] - turns[8]).abs().max() > 0.1
