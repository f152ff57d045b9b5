"""Compiled convolutions on points give what they give eagerly, in few graphs."""

from itertools import product

import pytest
import torch
from torch._dynamo.testing import CompileCounter
from torch.autograd import grad
from torch.func import functional_call

from contracts.points import conv_of, edge_attr, graph
from contracts.sweeps import sweep
from steerable.convs import PointConv
from steerable.ops import Edges

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

FEW = "steerable.convs.points.neighbour_conv._FEW_EDGES"
# Both forms of a compiled sum, one operation or plain ones, and up to how many edges it is plain.
FORMS = {"operation": ("depthwise", 0), "plain": ("implicit", 4096)}
CONTEXTS = {
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "bfloat16": lambda: torch.autocast("cpu", torch.bfloat16),
}
PAIRS = list(product(FORMS, CONTEXTS))


@pytest.fixture(autouse=True)
def fresh_compiler():
    """No graph of a test before."""
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def kind_of(form, monkeypatch):
    """A contraction or filter whose sum is compiled in this form."""
    kind, few = FORMS[form]
    monkeypatch.setattr(FEW, few)
    return kind


@pytest.fixture(params=FORMS)
def kind(request, monkeypatch):
    return kind_of(request.param, monkeypatch)


def compiled(function, backend="eager"):
    """One graph for all sizes; the backend `eager` only traces."""
    return torch.compile(function, fullgraph=True, dynamic=True, backend=backend)


def inputs_of(kind, nodes, dtype=torch.float64):
    x, pos, edges = graph(nodes, dtype)
    return x, pos, edges, edge_attr(edges).to(dtype) if kind == "implicit" else None


@pytest.mark.parametrize("case", sweep(PAIRS, PAIRS[:3]), ids="-".join)
def test_contexts(case, monkeypatch):
    form, context = case
    kind = kind_of(form, monkeypatch)
    dtype = torch.float32 if context == "bfloat16" else torch.float64
    conv = conv_of(kind, PointConv, aggregation="attention").to(dtype)
    function = compiled(conv)
    for nodes in (8, 13):
        with CONTEXTS[context]():
            inputs = inputs_of(kind, nodes, dtype)
            torch.testing.assert_close(function(*inputs), conv(*inputs))


def test_weights_given_and_weights_loaded(kind):
    conv, inputs = conv_of(kind, PointConv), inputs_of(kind, 8)
    other = {name: torch.randn_like(p) for name, p in conv.named_parameters()}
    leaves = [p.requires_grad_() for p in other.values()]
    # Plain operations have the backward pass of PyTorch, the one operation has its own.
    backend = "aot_eager" if kind == "depthwise" else "eager"
    layer, function = compiled(conv), compiled(lambda w, *i: functional_call(conv, w, i), backend)
    before = conv(*inputs)
    wanted = functional_call(conv, other, inputs)
    result = function(other, *inputs)
    torch.testing.assert_close(result, wanted)
    gradients = [grad(y.square().sum(), leaves) for y in (result, wanted)]
    torch.testing.assert_close(*gradients)
    torch.testing.assert_close(layer(*inputs), before)
    conv.load_state_dict(other, strict=False)
    torch.testing.assert_close(layer(*inputs), wanted)


def test_ten_equal_layers_are_one_graph(kind):
    counter, inputs = CompileCounter(), inputs_of(kind, 8)
    layers = [conv_of(kind, PointConv) for _ in range(10)]
    for k, conv in enumerate(layers):
        torch.nn.init.constant_(conv.contraction.own_parameters()[0], k + 1.0)
        torch.testing.assert_close(compiled(conv, counter)(*inputs), conv(*inputs))
    assert counter.frame_count == 1


@pytest.mark.parametrize(("name", "dynamic"), [("depthwise", None), ("implicit", True)])
def test_few_graphs_for_all_sizes(name, dynamic, monkeypatch):
    monkeypatch.setattr(FEW, 100)  # 4,096 edges, for graphs that take no time
    conv, counter = conv_of(name, PointConv), CompileCounter()
    function = torch.compile(conv, fullgraph=True, dynamic=dynamic, backend=counter)
    numbers = set()
    for nodes in (*range(12, 22), *range(30, 40)):
        inputs = inputs_of(name, nodes)
        numbers.add(inputs[2].shape[1] > 100)
        torch.testing.assert_close(function(*inputs), conv(*inputs))
    assert numbers == {False, True} and counter.frame_count <= 3


def test_edges_that_are_shared():
    """Two layers that take their edges from one object."""
    first, second = conv_of(), conv_of()

    def network(x, pos, index):
        edges = Edges.between(pos, index)
        return second(first(x, edges), edges)

    inputs = graph(8)
    torch.testing.assert_close(compiled(network)(*inputs), network(*inputs))
