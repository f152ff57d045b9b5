"""Exported convolutions on points: every contraction, filter, group and aggregation.

A choice runs by default; all pairs of them are slow.
"""

import io

import pytest
import torch
from torch import nn

from contracts.points import conv_of, edge_attr, graph
from contracts.programs import results_of
from contracts.sweeps import collected, sweep
from steerable import Field
from steerable.convs import NeighbourConv
from steerable.filters import HarmonicFilter, ImplicitFilter
from steerable.groups import cyclic, irreps, named_group
from steerable.ops import Edges

# PyTorch's own, of what it will rename.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

TOLERANCE = 1e-12
FEW, MANY = 8, 15  # nodes: exported with the one, run with the other
GROUPS = {"SO(3)": named_group("SO(3)"), "D2h": named_group("D2h"), "C4": cyclic(4)}
CASES = [
    *[("rank", "mean"), ("groups", "max")],
    *[(kind, "sum") for kind in ("rank", "groups", "implicit")],
    *[("depthwise", how) for how in ("mean", "max", "attention")],
    *[("implicit", how) for how in ("mean", "max", "attention")],
    *[(group, filter) for group in GROUPS for filter in ("harmonic", "implicit")],
]
# Contractions and aggregations once; sums are exported below, and in test_export.py.
BY_DEFAULT = [("rank", "mean"), ("groups", "max"), ("implicit", "attention"), ("C4", "harmonic")]
STRICT = [("groups", "sum"), ("depthwise", "attention"), ("implicit", "max"), ("D2h", "implicit")]


class FromPositions(nn.Module):
    """A convolution with the positions and edges in its arguments, as PointConv has them."""

    def __init__(self, conv):
        super().__init__()
        self.conv = conv

    def forward(self, x, pos, edges, attr):
        return self.conv(x, Edges.between(pos, edges), attr)


def of_group(group, implicit):
    every = irreps(group, 1)
    # D2h has eight, whose products are hundreds of operations: three of them are enough.
    field = Field(group, tuple((2, irrep) for irrep in every[:: 3 if len(every) > 3 else 1]))
    torch.manual_seed(0)
    if implicit:
        filter = ImplicitFilter(field, 2.0, channels=2, hidden=1)
    else:
        filter = HarmonicFilter(1, 2.0, channels=2, hidden=(4,), group=group)
    return NeighbourConv(field, field, filter, neighbours=4.0).double()


def module_of(case):
    kind, how = case
    if kind in GROUPS:
        return FromPositions(of_group(GROUPS[kind], how == "implicit"))
    out = "4x0e" if how == "max" else "2x0e+2x1o"
    return FromPositions(conv_of(kind, out=out, aggregation=how, self_interaction=how == "sum"))


def inputs_of(case, nodes):
    if case[0] in GROUPS:
        conv = module_of(case).conv
        return *graph(nodes, dim=GROUPS[case[0]].dim, width=conv.field_in.dim), None
    inputs = graph(nodes)
    return *inputs, edge_attr(inputs[2]) if case[0] == "implicit" else None


def exported(module, inputs, strict=False):
    """The program of a module that takes nodes and edges, whatever their number."""
    length = torch.export.Dim.DYNAMIC
    attr = None if inputs[3] is None else {0: length}
    shapes = ({0: length}, {0: length}, {1: length}, attr)
    with torch.no_grad():
        return torch.export.export(module, inputs, dynamic_shapes=shapes, strict=strict)


@pytest.fixture(scope="module")
def results(request, tmp_path_factory):
    """What the programs of the cases give in a fresh process, or why there is none."""
    return results_of(
        collected(request, "case"),
        lambda case: exported(module_of(case), inputs_of(case, FEW)),
        lambda case: inputs_of(case, MANY),
        tmp_path_factory.mktemp("programs"),
    )


@pytest.mark.parametrize("case", sweep(CASES, BY_DEFAULT), ids=str)
def test_a_fresh_process_computes_the_same(results, case):
    if isinstance(results[case], Exception):
        raise results[case]
    wanted = module_of(case)(*inputs_of(case, MANY))
    torch.testing.assert_close(results[case], wanted, atol=TOLERANCE, rtol=TOLERANCE)


@pytest.mark.parametrize("case", sweep(STRICT, STRICT[:1]), ids=str)
def test_strict_export(case):
    module, inputs = module_of(case), inputs_of(case, MANY)
    result = exported(module, inputs_of(case, FEW), strict=True).module()(*inputs)
    torch.testing.assert_close(result, module(*inputs), atol=TOLERANCE, rtol=TOLERANCE)


@pytest.mark.parametrize("strict", [False, True])
def test_graphs_larger_than_any_switch(strict, monkeypatch):
    """Sizes at which the layer itself computes otherwise are no limits of a program."""
    for name in ("_FEW_EDGES", "_MANY_EDGES", "_FILTERED_AT_ONCE", "_SEPARABLE_AT_ONCE"):
        monkeypatch.setattr(f"steerable.convs.points.neighbour_conv.{name}", 20)
    case = "depthwise", "sum"
    program = exported(module_of(case), inputs_of(case, 5), strict)
    module, inputs = module_of(case), inputs_of(case, 40)
    assert inputs[2].shape[1] > 100
    torch.testing.assert_close(program.module()(*inputs), module(*inputs))


@pytest.mark.parametrize("case", [("full", "max"), ("groups", "sum")], ids=str)
def test_graphs_without_edges_and_without_nodes(case):
    module, (x, pos, edges, _) = module_of(case), inputs_of(case, FEW)
    program = exported(module, (x, pos, edges, None)).module()
    for nodes in (5, 0):
        inputs = x[:nodes], pos[:nodes], edges[:, :0], None
        torch.testing.assert_close(program(*inputs), module(*inputs))


def test_a_program_has_weights_of_its_own():
    case = "depthwise", "sum"
    module, inputs = module_of(case), inputs_of(case, FEW)
    file, before = io.BytesIO(), module(*inputs)
    torch.export.save(exported(module, inputs), file)
    file.seek(0)
    program = torch.export.load(file)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(2)
    assert (module(*inputs) - before).abs().max() > 0.1
    torch.testing.assert_close(program.module()(*inputs), before)
    del module
    torch.testing.assert_close(program.module()(*inputs), before)


@pytest.mark.parametrize("strict", sweep([False, True], [False]))
def test_a_layer_that_has_measured_nothing_is_not_exported(strict):
    module, inputs = FromPositions(conv_of(neighbours=None)), (*graph(FEW), None)
    with pytest.raises(Exception, match="has not measured its neighbours.*Run one batch first"):
        exported(module, inputs, strict)
    module(*inputs)
    program = exported(module, inputs, strict)
    torch.testing.assert_close(program.module()(*inputs), module(*inputs))
