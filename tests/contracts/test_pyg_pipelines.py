"""PointConv in pipelines of PyTorch Geometric: indices, hooks, batches, graphs without edges."""

import copy
import pickle

import pytest
import torch
from torch.autograd import grad
from torch_geometric import EdgeIndex
from torch_geometric.data import Data
from torch_geometric.nn import HeteroConv, MessagePassing

from contracts.points import conv_of, graph
from steerable.convs import PointConv
from steerable.models import Reference, Regressor
from steerable.ops import Edges, neighbourhoods
from steerable.ops.edges import check_edge_index

KINDS = ["depthwise", "full"]
STEPS = ["propagate", "message", "aggregate", "message_and_aggregate", "edge_update"]


def gradients(conv, x, pos, *rest):
    """The result, and the gradients of features, positions and parameters."""
    x, pos = x.clone().requires_grad_(), pos.clone().requires_grad_()
    y = conv(x, pos, *rest)
    return [y, *grad(y.square().sum(), [x, pos, *conv.parameters()])]


@pytest.mark.parametrize("kind", KINDS)
def test_an_edge_index_of_pyg_is_an_index(kind):
    conv, (x, pos, edges) = conv_of(kind, PointConv), graph()
    wanted = gradients(conv, x, pos, edges)
    index = EdgeIndex(edges, sparse_size=(8, 8))
    torch.testing.assert_close(gradients(conv, x, pos, index), wanted)
    torch.testing.assert_close(gradients(conv, x, pos, neighbourhoods(index, 8)), wanted)


@pytest.mark.parametrize(
    "change",
    [
        lambda edges: edges.int(),
        lambda edges: edges.double(),
        lambda edges: torch.eye(8).to_sparse(),
        lambda edges: edges.T,
    ],
    ids=["int32", "float64", "sparse", "transposed"],
)
def test_other_indices_are_refused(change):
    x, pos, edges = graph()
    with pytest.raises(ValueError, match=r"edge_index is a torch.long tensor \(2, edge\)"):
        conv_of(make=PointConv)(x, pos, change(edges))


def test_more_edges_than_an_int32_counts():
    edges = torch.zeros(1, 1, dtype=torch.long).expand(2, 2**31)  # without memory for them
    with pytest.raises(ValueError, match=r"fewer than 2\^31 edges; got 2,147,483,648. Cut it"):
        check_edge_index(edges, 1, 1)


def test_another_flow_is_refused():
    conv = conv_of(make=PointConv)
    with pytest.raises(TypeError, match="flow"):
        conv_of(make=PointConv, flow="target_to_source")
    with pytest.raises(ValueError, match=r"edge_index.flip\(0\)"):
        conv.flow = "target_to_source"
    conv.flow = "source_to_target"
    assert conv.flow == copy.deepcopy(conv).flow == pickle.loads(pickle.dumps(conv)).flow


@pytest.mark.parametrize("when", ["forward_pre_hook", "forward_hook"])
@pytest.mark.parametrize("step", STEPS)
def test_hooks_that_would_do_nothing_are_refused(step, when):
    register = getattr(conv_of(make=PointConv), f"register_{step}_{when}")
    assert hasattr(MessagePassing, f"register_{step}_{when}")
    with pytest.raises(NotImplementedError, match="Use register_forward_hook"):
        register(print)


def test_hooks_of_the_layer_are_called():
    conv, outputs = conv_of(make=PointConv), []
    conv.register_forward_hook(lambda module, inputs, output: outputs.append(output))
    assert conv(*graph()) is outputs[0]


def test_neighbourhoods_move_with_the_data_they_are_in():
    _, _, edges = graph()
    hood = neighbourhoods(edges, 8)
    assert len(hood.blocks) and hood.rows.source.shape == edges[0].shape  # computed, and left out
    moved = Data(hood=hood).to("meta").hood
    assert moved.edge_index.is_meta and moved.degree.is_meta and moved.size == 8
    assert torch.equal(hood.to(torch.device("cpu")).blocks[0].edges, hood.blocks[0].edges)


def test_neighbourhoods_are_pinned_like_tensors(monkeypatch):
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: tensor + 0)
    hood = neighbourhoods(graph()[2], 8)
    pinned = Data(hood=hood).pin_memory().hood
    assert pinned is not hood and torch.equal(pinned.edge_index, hood.edge_index)


def test_edges_move_to_a_device_and_to_a_precision():
    x, pos, edges = graph()
    shared = Edges.between(pos, neighbourhoods(edges, 8))
    for moved in (shared.to("meta"), shared.to(torch.device("meta"))):
        assert moved.index.is_meta and moved.offset.is_meta and moved.hood.degree.is_meta
    assert shared.to(torch.float32) is shared.to(torch.float32) and shared.to("cpu").count
    conv = conv_of(make=PointConv)
    torch.testing.assert_close(conv(x, shared.to("cpu")), conv(x, pos, edges))


def test_relations_with_names():
    (x, pos, edges), conv = graph(), conv_of(make=PointConv)
    kind = ("atom", "near", "atom")
    net = HeteroConv({kind: conv})
    inputs = {"pos_dict": {"atom": pos}, "edge_index_dict": {kind: edges}}
    torch.testing.assert_close(net({"atom": x}, **inputs)["atom"], conv(x, pos, edges))
    torch.testing.assert_close(net(x_dict={"atom": x}, **inputs)["atom"], conv(x, pos, edges))


@pytest.mark.parametrize("recompute", [None, False, True])
@pytest.mark.parametrize("aggregation", ["sum", "mean", "max", "attention"])
@pytest.mark.parametrize("kind", [*KINDS, "implicit"])
def test_without_edges_gradients_are_zero(kind, aggregation, recompute):
    out = "3x0e" if aggregation == "max" else "2x0e+2x1o"
    conv = conv_of(kind, PointConv, out, aggregation=aggregation, recompute=recompute)
    x, pos, _ = graph(3)
    attr = torch.zeros(0, 4, dtype=x.dtype) if kind == "implicit" else None
    for part in gradients(conv, x, pos, torch.zeros(2, 0, dtype=torch.long), attr):
        assert part.eq(0).all()
    # Training on forces: the second derivatives exist as well.
    pos.requires_grad_()
    y = conv(x, pos, torch.zeros(2, 0, dtype=torch.long), attr)
    (forces,) = grad(y.sum(), pos, create_graph=True)
    forces.square().sum().backward()
    assert forces.eq(0).all() and pos.grad.eq(0).all()


def test_an_unmeasured_layer_without_edges_waits():
    conv = conv_of(make=PointConv, neighbours=None)
    x, pos, edges = graph()
    conv(x, pos, edges[:, :0])
    assert conv.neighbours.isnan()
    conv(x, pos, edges)
    assert conv.neighbours.isfinite()


def test_one_atom_has_no_force():
    model = Regressor(Reference((1,)), "4x0e+2x1o", 1, 2.0, "0e+1o", 2, neighbours=4.0)
    pos = torch.zeros(1, 3, requires_grad=True)
    (forces,) = grad(model(torch.ones(1, dtype=torch.long), pos).sum(), pos, create_graph=True)
    assert forces.eq(0).all()
    (forces.square().sum() + model(torch.ones(1, dtype=torch.long), pos).sum()).backward()
    assert all(p.grad is not None for p in model.blocks.parameters())
