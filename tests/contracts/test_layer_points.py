"""Convolutions on points draw anew, are printed, refuse other states, and start on meta."""

import copy
import pickle

import pytest
import torch
from torch_geometric.nn import Sequential

from contracts.points import conv_of, edge_attr, graph
from steerable.convs import NeighbourConv, PointConv
from steerable.filters import HarmonicFilter
from steerable.ops import Edges

KINDS = ["depthwise", "full", "rank", "groups", "implicit"]
OPTIONS = [{}, {"aggregation": "attention", "self_interaction": True, "neighbours": None}]


def numbers(layer):
    return {k: v.clone() for k, v in layer.state_dict().items() if not k.endswith("_extra_state")}


@torch.no_grad()
def spoiled(layer):
    """The layer after much training."""
    for name, tensor in layer.state_dict().items():
        if not name.endswith("_extra_state"):
            tensor.copy_(7 + torch.rand_like(tensor))
    return layer


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("make", [NeighbourConv, PointConv])
@pytest.mark.parametrize("kind", KINDS)
def test_parameters_are_reset_as_in_the_constructor(kind, make, options):
    fresh = conv_of(kind, make, **options).float()
    layer = spoiled(copy.deepcopy(fresh))
    torch.manual_seed(0)  # as conv_of does
    layer.reset_parameters()
    torch.testing.assert_close(numbers(layer), numbers(fresh), equal_nan=True)
    torch.manual_seed(1)
    layer.reset_parameters()
    for name, tensor in fresh.named_parameters():
        other = layer.get_parameter(name)
        assert tensor.eq(0).all() or not torch.equal(other, tensor), name


def test_a_sequential_of_pyg_resets_its_layers():
    conv = spoiled(conv_of(make=PointConv))
    net = Sequential("x, pos, edge_index", [(conv, "x, pos, edge_index -> x")])
    net.reset_parameters()
    assert all(p.abs().max() < 6 for p in conv.parameters())


def test_repr_shows_the_fields_and_the_parts():
    for make in (NeighbourConv, PointConv):
        text = repr(conv_of(make=make, aggregation="attention", self_interaction=True))
        parts = "2x0e+2x1o -> 2x0e+2x1o, O(3)", "HarmonicFilter", "Depthwise", "Linear"
        assert all(part in text for part in (make.__name__, "neighbours=4", *parts))


def harmonic(cutoff=2.0, field_in="2x0e+2x1o", **options):
    filter = HarmonicFilter(1, cutoff, channels=3)
    return PointConv(field_in, "2x0e+2x1o", filter, **{"neighbours": 4.0, **options})


@pytest.mark.parametrize(
    "options",
    [
        {"cutoff": 5.0},
        {"field_in": "2x1o+2x0e"},
        {"aggregation": "mean"},
        {"neighbours": 5.0},
    ],
    ids=str,
)
def test_a_state_that_means_something_else_is_refused(options):
    with pytest.raises(RuntimeError, match=r"is .*; the state was made by .*Load it into"):
        harmonic().load_state_dict(harmonic(**options).state_dict())


def test_states_of_before_and_of_the_same_layer_are_loaded():
    layer, state = harmonic(), spoiled(harmonic()).state_dict()
    for given in (state, {k: v for k, v in state.items() if not k.endswith("_extra_state")}):
        assert str(layer.load_state_dict(given)) == "<All keys matched successfully>"
    line = bytes(layer.get_extra_state().tolist()).decode()
    assert line == (
        "PointConv: 2x0e+2x1o -> 2x0e+2x1o, O(3), aggregation='sum', neighbours=4, HarmonicFilter"
    )
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert repr(twin) == repr(layer)
        torch.testing.assert_close(numbers(twin), numbers(layer))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("make", [NeighbourConv, PointConv])
@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_on_the_meta_device(kind, make, options):
    conv, (x, pos, edges) = conv_of(kind, make, **options), graph()
    inputs = x, Edges.between(pos, edges)
    inputs = (*inputs, None, edge_attr(edges)) if kind == "implicit" else inputs
    inputs = inputs if make is PointConv or kind != "implicit" else (*inputs[:2], inputs[3])
    conv(*inputs)  # measures n where it is not given
    with torch.device("meta"):
        twin = conv_of(kind, make, **options)
    assert all(tensor.is_meta for tensor in (*twin.parameters(), *twin.buffers()))
    twin.to_empty(device="cpu")
    twin.load_state_dict(conv.state_dict())
    torch.testing.assert_close(twin(*inputs), conv(*inputs), rtol=0, atol=0)
