"""Every order of computation inside one compiled graph, for graphs of any size.

`tests/contracts/test_compile_points.py` compiles layers in the pipelines of users.
"""

import copy
import pickle
from itertools import product

import pytest
import torch

from contracts.sweeps import sweep
from steerable.convs.points.cost import ENGINES
from steerable.convs.points.point_conv import PointConv
from steerable.filters.harmonic import HarmonicFilter
from steerable.filters.implicit import ImplicitFilter
from steerable.ops import radius_graph

PAIRS = list(product(ENGINES, [False, True]))  # an order of computation, and recompute
BY_DEFAULT = [("aggregate", False), ("radial", True)]

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


def conv_of(engine, contraction="full", **options):
    filter = (
        ImplicitFilter("0e+1o", 2.0, channels=2, hidden=2, layers=2)
        if engine == "aggregate"
        else HarmonicFilter(1, 2.0, channels=4, hidden=())
    )
    # Two paths, since every one of them is a part of the graph.
    conv = PointConv("4x1o", "4x0e+4x1o", filter, contraction, engine=engine, **options)
    return conv.double()


def graph(nodes):
    generator = torch.Generator().manual_seed(nodes)
    pos = torch.randn(nodes, 3, generator=generator, dtype=torch.float64)
    return (
        torch.randn(nodes, 12, generator=generator, dtype=torch.float64).requires_grad_(),
        pos.requires_grad_(),
        radius_graph(pos, 2.0),
    )


@pytest.mark.parametrize("case", sweep(PAIRS, BY_DEFAULT), ids=str)
def test_one_graph_for_all_sizes_and_the_same_gradients(case):
    engine, recompute = case
    torch._dynamo.reset()
    torch.manual_seed(0)
    conv = conv_of(
        engine, "depthwise" if engine == "radial" else "full", recompute=recompute, neighbours=4.0
    )
    compiled = torch.compile(conv, fullgraph=True, dynamic=True, backend="aot_eager")
    for nodes in (9, 20, 33):
        x, pos, edges = graph(nodes)
        leaves = [x, pos, *conv.parameters()]
        found, wanted = (
            torch.autograd.grad(f(x, pos, edges).square().sum(), leaves, allow_unused=True)
            for f in (compiled, conv)
        )
        for a, b in zip(found, wanted, strict=True):
            torch.testing.assert_close(a, b)


def test_measuring_the_neighbours_compiles():
    torch._dynamo.reset()
    torch.manual_seed(0)
    conv = conv_of("messages")
    twin = copy.deepcopy(conv)
    x, pos, edges = graph(12)
    compiled = torch.compile(conv, fullgraph=True, dynamic=True, backend="eager")
    torch.testing.assert_close(compiled(x, pos, edges), twin(x, pos, edges))
    torch.testing.assert_close(conv.neighbours, twin.neighbours)
    assert conv.neighbours != 1 and conv.state_dict()["neighbours"] == conv.neighbours


def test_a_copy_is_another_layer():
    conv = conv_of("messages", neighbours=4.0)
    x, pos, edges = graph(12)
    for twin in (copy.deepcopy(conv), pickle.loads(pickle.dumps(conv))):
        torch._dynamo.reset()
        with torch.no_grad():
            for parameter in twin.parameters():
                parameter.mul_(2)
        compiled = torch.compile(twin, fullgraph=True, dynamic=True, backend="eager")
        torch.testing.assert_close(compiled(x, pos, edges), twin(x, pos, edges))
        assert (twin(x, pos, edges) - conv(x, pos, edges)).abs().max() > 1e-3
