"""PointConv against the per-edge kernel, the group, and bad input."""

import pytest
import torch
from torch_geometric.data import Batch, Data
from torch_geometric.nn import MessagePassing, Sequential

from oracles.groups import EVERY, name
from oracles.per_edge import per_edge_conv
from oracles.states import weights_of
from steerable import Field, FieldMismatchError
from steerable.certify import EDGE_INDEX, POSITIONS, Role, certify
from steerable.convs.points.point_conv import PointConv
from steerable.filters.harmonic import HarmonicFilter
from steerable.filters.implicit import ImplicitFilter
from steerable.groups import SO3, axial, irreps, point_group
from steerable.ops import neighbourhoods, radius_graph

DOUBLE = torch.float64


def field_of(group, copies, degree=2):
    return Field(group, tuple((copies, irrep) for irrep in irreps(group, degree)))


def cloud(group, nodes=9, seed=0):
    generator = torch.Generator().manual_seed(seed)
    pos = torch.randn(nodes, group.dim, generator=generator, dtype=DOUBLE)
    return pos, radius_graph(pos, 2.0)


def conv_of(group, kind, attributes=""):
    irreps_once = field_of(group, 1, 1)
    if kind == "harmonic":
        filter = HarmonicFilter(
            2, 2.0, channels=3, attributes=Field.parse(attributes, group), group=group
        )
    else:
        filter = ImplicitFilter(
            irreps_once, 2.0, Field.parse(attributes, group), channels=3, hidden=4
        )
    return PointConv(field_of(group, 2, 1), field_of(group, 3, 1), filter, neighbours=4.0).double()


@pytest.mark.parametrize("kind", ["harmonic", "implicit"])
@pytest.mark.parametrize("group", EVERY, ids=name)
def test_commutes_and_equals_the_sum_with_a_kernel_per_edge(group, kind):
    torch.manual_seed(0)
    conv = conv_of(group, kind)
    pos, edges = cloud(group)
    x = torch.randn(len(pos), conv.field_in.dim, dtype=DOUBLE)
    torch.testing.assert_close(
        conv(x, pos, edges), per_edge_conv(conv, x, pos, edges), atol=1e-12, rtol=1e-12
    )
    inputs = [(x, Role(field=conv.field_in)), (pos, POSITIONS), (edges, EDGE_INDEX)]
    report = certify(conv, inputs, Role(field=conv.field_out), group, elements=4)
    assert report.error < 1e-11, report


@pytest.mark.parametrize("attributes", ["2x0e", "1x0e+1x1o", "1x1e+1x2e"])
@pytest.mark.parametrize("activation", [None, "gate", "norm", "product"])
def test_attributes_of_edges_and_both_ends(attributes, activation):
    torch.manual_seed(0)
    edge_field, node_field = Field.parse("1x0o+1x1o"), Field.parse(attributes)
    all_fields = edge_field + node_field + node_field
    filter = ImplicitFilter(
        "0e+0o+1o+1e+2e", 2.0, all_fields, channels=2, hidden=3, activation=activation
    )
    conv = PointConv("2x0e+2x1o", "2x0e+1x1e+2x1o", filter).double()
    pos, edges = cloud(SO3())
    tensors = {
        "x": (torch.randn(len(pos), conv.field_in.dim, dtype=DOUBLE), Role(field=conv.field_in)),
        "pos": (pos, POSITIONS),
        "edges": (edges, EDGE_INDEX),
        "edge_attr": (
            torch.randn(edges.shape[1], edge_field.dim, dtype=DOUBLE),
            Role("edge", edge_field),
        ),
        "node_attr": (torch.randn(len(pos), node_field.dim, dtype=DOUBLE), Role(field=node_field)),
    }
    report = certify(conv, list(tensors.values()), Role(field=conv.field_out), elements=5)
    assert report.error < 1e-11, report
    arguments = [tensor for tensor, _ in tensors.values()]
    torch.testing.assert_close(
        conv(*arguments), per_edge_conv(conv, *arguments), atol=1e-12, rtol=1e-12
    )
    moved = list(arguments)
    moved[4] = moved[4] + 0.1
    assert (conv(*moved) - conv(*arguments)).abs().max() > 1e-6  # the filter does see both ends


def test_the_check_fails_on_a_broken_twin():
    conv = conv_of(SO3(), "implicit")
    pos, edges = cloud(SO3())
    x = torch.randn(len(pos), conv.field_in.dim, dtype=DOUBLE)
    inputs = [(x, Role(field=conv.field_in)), (pos, POSITIONS), (edges, EDGE_INDEX)]
    broken = certify(
        lambda x, p, e: conv(x, p, e) + 0.1 * p[:, :1], inputs, Role(field=conv.field_out), SO3()
    )
    assert broken.error > 1e-2


@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("block_edges", [1, 7, 10_000])
def test_blocks_and_recomputation_change_nothing(recompute, block_edges):
    torch.manual_seed(0)
    conv = conv_of(SO3(), "implicit")
    conv.recompute = recompute
    pos, edges = cloud(SO3())
    x = torch.randn(len(pos), conv.field_in.dim, dtype=DOUBLE, requires_grad=True)
    pos.requires_grad_(True)
    shuffled = edges[:, torch.randperm(edges.shape[1])]
    ours = conv(x, pos, neighbourhoods(shuffled, len(pos), block_edges))
    wanted = per_edge_conv(conv, x, pos, edges)
    torch.testing.assert_close(ours, wanted, atol=1e-12, rtol=1e-12)
    parameters = [x, pos, *conv.parameters()]
    for a, b in zip(
        torch.autograd.grad(ours.square().sum(), parameters),
        torch.autograd.grad(wanted.square().sum(), parameters),
        strict=True,
    ):
        torch.testing.assert_close(a, b, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("kind", ["harmonic", "implicit"])
def test_second_derivatives_where_points_coincide(kind):
    torch.manual_seed(0)
    conv = conv_of(SO3(), kind)
    pos = torch.randn(4, 3, dtype=DOUBLE)
    pos[1] = pos[0]
    edges = radius_graph(pos, 2.0)
    x = torch.randn(4, conv.field_in.dim, dtype=DOUBLE, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x: conv(x, pos, edges), x, fast_mode=True)
    apart = torch.randn(4, 3, dtype=DOUBLE, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda p: conv(x.detach(), p, edges), apart, fast_mode=True)
    pos.requires_grad_(True)
    (force,) = torch.autograd.grad(conv(x, pos, edges).sum(), pos, create_graph=True)
    (second,) = torch.autograd.grad(force.square().sum(), pos)
    assert torch.isfinite(force).all() and torch.isfinite(second).all()


def test_a_batch_equals_its_graphs_one_by_one():
    torch.manual_seed(0)
    conv = conv_of(SO3(), "implicit")
    graphs = []
    for nodes in (5, 1, 8):
        pos, edges = cloud(SO3(), nodes, seed=nodes)
        graphs.append(
            Data(x=torch.randn(nodes, conv.field_in.dim, dtype=DOUBLE), pos=pos, edge_index=edges)
        )
    batch = Batch.from_data_list(graphs)
    together = conv(batch.x, batch.pos, batch.edge_index)
    torch.testing.assert_close(
        together, torch.cat([conv(g.x, g.pos, g.edge_index) for g in graphs])
    )


def test_fields_as_text_are_of_the_filters_group():
    group = point_group("D4h")
    conv = PointConv("2x0+1x4", "3x2", ImplicitFilter(field_of(group, 1), 2.0))
    assert str(conv.field_in) == "2x0+1x4" and conv.field_out.group == group


def test_is_a_message_passing_layer_of_pyg():
    conv = PointConv("4x0e", "4x0e+2x1o", HarmonicFilter(1, 2.0))
    assert isinstance(conv, MessagePassing)
    net = Sequential("x, pos, edge_index", [(conv, "x, pos, edge_index -> x")])
    pos, edges = cloud(SO3())
    assert net(torch.randn(len(pos), 4), pos.float(), edges).shape == (len(pos), 10)


def conv_that_sees_vectors():
    """A vector as attribute leaves an O(3) layer its stabiliser, graph by graph."""
    torch.manual_seed(0)
    filter = ImplicitFilter("0e+1o+1e+2e", 2.0, "1x1o+1x1o", channels=3, hidden=4)
    conv = PointConv("2x0e+2x1o", "2x0e+2x1o", filter).double()
    pos = torch.randn(8, 3, dtype=DOUBLE)
    return conv, torch.randn(8, conv.field_in.dim, dtype=DOUBLE), pos, radius_graph(pos, 2.0)


def test_a_direction_leaves_the_axial_group():
    conv, x, pos, edges = conv_that_sees_vectors()
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
    conv, x, pos, edges = conv_that_sees_vectors()
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


def test_no_edges_one_node_no_node():
    conv = conv_of(SO3(), "implicit")
    none = torch.zeros(2, 0, dtype=torch.long)
    for nodes in (1, 0):
        y = conv(
            torch.randn(nodes, conv.field_in.dim, dtype=DOUBLE),
            torch.zeros(nodes, 3, dtype=DOUBLE),
            none,
        )
        assert y.shape == (nodes, conv.field_out.dim) and y.eq(0).all()


def test_state_is_learned_numbers_only_and_the_same_in_eval():
    conv = conv_of(SO3(), "implicit")
    assert weights_of(conv) == {name for name, _ in conv.named_parameters()}
    assert set(conv.eval().state_dict()) == set(conv.train().state_dict())


def test_bad_input():
    conv = PointConv("2x0e+1x1o", "2x0e", HarmonicFilter(1, 2.0))
    pos, edges = torch.randn(4, 3), torch.tensor([[0, 1], [1, 2]])
    with pytest.raises(
        FieldMismatchError,
        match=r"PointConv expects features of 2x0e\+1x1o \(5 channels\) and got 4",
    ):
        conv(torch.randn(4, 4), pos, edges)
    x = torch.randn(4, 5)
    with pytest.raises(ValueError, match="target node numbers from 0 to 3; got 7 to 7"):
        conv(x, pos, torch.tensor([[0], [7]]))
    with pytest.raises(ValueError, match="target node numbers from 0 to 3; got -1 to -1"):
        conv(x, pos, torch.tensor([[0], [-1]]))
    with pytest.raises(ValueError, match=r"torch.long tensor \(2, edge\).*got torch.int32"):
        conv(x, pos, edges.int())
    with pytest.raises(
        ValueError, match="one position per node: 4 rows of features, 3 of positions"
    ):
        conv(x, pos[:3], edges)
    with pytest.raises(ValueError, match="neighbourhoods are of 5 nodes; there are 4 targets"):
        conv(x, pos, neighbourhoods(edges, 5))
    with pytest.raises(ValueError, match=r"finite; those of nodes \[1\]"):
        conv(x, pos.index_fill(0, torch.tensor([1]), float("nan")), edges)
    with pytest.raises(ValueError, match=r"positions of 3 coordinates.*got \(4, 2\)"):
        conv(x, pos[:, :2], edges)
    with pytest.raises(ValueError, match="edge_attr and twice node_attr make 3"):
        conv(x, pos, edges, torch.randn(2, 3))
    with pytest.raises(ValueError, match=r"one row per edge \(2\); got 1"):
        conv(x, pos, edges, torch.randn(1, 3))
    with pytest.raises(FieldMismatchError, match="fields of one group"):
        PointConv(Field.parse("2x0e"), Field.parse("2x0", SO3()), HarmonicFilter(1, 2.0))
    with pytest.raises(ValueError, match="No filter of .* makes 1e of O"):
        PointConv("2x0e", "1x1e", HarmonicFilter(1, 2.0))
    with pytest.raises(ValueError, match="cutoff is positive and finite"):
        ImplicitFilter("0e", 0.0)
    with pytest.raises(ValueError, match="invariant attributes; got 1x1o. Use ImplicitFilter"):
        HarmonicFilter(1, 2.0, attributes="1o")
