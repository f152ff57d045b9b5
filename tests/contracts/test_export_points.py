"""Exported convolutions on points: saved, loaded by a process without this library, and equal."""

import subprocess
import sys
import warnings
from itertools import product

import pytest
import torch
from torch import nn

from contracts.points import CONTRACTIONS, conv_of, edge_attr, graph
from steerable import Field
from steerable.convs import NeighbourConv
from steerable.filters import HarmonicFilter, ImplicitFilter
from steerable.groups import cyclic, irreps, named_group
from steerable.models import Reference, Regressor
from steerable.ops import Edges

TOLERANCE = 1e-12
FEW, MANY = 8, 15  # nodes: exported with the one, run with the other
DYNAMIC = torch.export.Dim.DYNAMIC
GROUPS = {"SO(3)": named_group("SO(3)"), "D2h": named_group("D2h"), "C4": cyclic(4)}

# Runs every program of a folder on its inputs, and keeps the results.
RUN = """
import sys, torch
from pathlib import Path
for path in Path(sys.argv[1]).glob("*.pt2"):
    inputs = torch.load(path.with_suffix(".inputs"))
    torch.save(torch.export.load(path).module()(*inputs), path.with_suffix(".result"))
assert "steerable" not in sys.modules
"""


class FromPositions(nn.Module):
    """A convolution with the positions and edges in its arguments, as PointConv has them."""

    def __init__(self, conv):
        super().__init__()
        self.conv = conv

    def forward(self, x, pos, edges, attr=None):
        return self.conv(x, Edges.between(pos, edges), attr)


def of_group(group, implicit):
    field = Field(group, tuple((2, irrep) for irrep in irreps(group, 1)))
    if implicit:
        filter = ImplicitFilter(Field(group, field.terms), 2.0, channels=2, hidden=1)
    else:
        filter = HarmonicFilter(1, 2.0, channels=2, hidden=(4,), group=group)
    torch.manual_seed(0)
    return NeighbourConv(field, field, filter, neighbours=4.0).double()


CASES = {
    f"{kind}, {aggregation}": (kind, aggregation)
    for kind, aggregation in product(
        [*CONTRACTIONS, "implicit"], ["sum", "mean", "attention", "max"]
    )
}
CASES |= {f"{name}, {i}": (name, i) for name, i in product(GROUPS, ["harmonic", "implicit"])}


def case_of(name, nodes):
    """A layer, and its inputs on a graph of so many nodes."""
    kind, how = CASES[name]
    if kind in GROUPS:
        conv = of_group(GROUPS[kind], how == "implicit")
        return FromPositions(conv), graph(nodes, dim=GROUPS[kind].dim, width=conv.field_in.dim)
    out = "4x0e" if how == "max" else "2x0e+2x1o"
    conv = conv_of(kind, out=out, aggregation=how, self_interaction=kind == "full")
    x, pos, edges = graph(nodes)
    attr = (edge_attr(edges),) if kind == "implicit" else ()
    return FromPositions(conv), (x, pos, edges, *attr)


def exported(module, inputs, strict=False):
    """The program of a module that takes nodes and edges, whatever their number."""
    axes = [{0: DYNAMIC}, {0: DYNAMIC}, {1: DYNAMIC}, {0: DYNAMIC}]
    shapes = tuple(axes[: len(inputs)])
    if isinstance(module, FromPositions) and len(inputs) == 3:
        shapes = (*shapes, None)
        inputs = (*inputs, None)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's own, of what it will rename
        return torch.export.export(module, inputs, dynamic_shapes=shapes, strict=strict)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What the programs of all cases give in a fresh process, or why there is none."""
    folder, results = tmp_path_factory.mktemp("programs"), {}
    for k, name in enumerate(CASES):
        inputs = case_of(name, MANY)[1]
        inputs = inputs if len(inputs) == 4 else (*inputs, None)
        try:
            torch.export.save(exported(*case_of(name, FEW)), folder / f"{k}.pt2")
            torch.save(inputs, folder / f"{k}.inputs")
        except Exception as error:
            results[name] = error
    subprocess.run([sys.executable, "-W", "ignore", "-c", RUN, str(folder)], check=True)
    for k, name in enumerate(CASES):
        if name not in results:
            results[name] = torch.load(folder / f"{k}.result")
    return results


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CASES)
def test_a_fresh_process_computes_the_same(results, name):
    if isinstance(results[name], Exception):
        raise results[name]
    module, inputs = case_of(name, MANY)
    torch.testing.assert_close(results[name], module(*inputs), atol=TOLERANCE, rtol=TOLERANCE)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name", [f"{kind}, sum" for kind in (*CONTRACTIONS, "implicit")] + ["depthwise, attention"]
)
def test_strict_export(name):
    program = exported(*case_of(name, FEW), strict=True)
    module, inputs = case_of(name, MANY)
    result = program.module()(*inputs)
    torch.testing.assert_close(result, module(*inputs), atol=TOLERANCE, rtol=TOLERANCE)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("strict", [False, True])
def test_graphs_larger_than_any_switch(strict, monkeypatch):
    """Sizes at which the layer itself computes otherwise are no limits of a program."""
    names = "_FEW_EDGES", "_MANY_EDGES", "_FILTERED_AT_ONCE", "_SEPARABLE_AT_ONCE"
    for name in names:
        monkeypatch.setattr(f"steerable.convs.points.neighbour_conv.{name}", 20)
    program = exported(*case_of("depthwise, sum", 5), strict=strict)
    module, inputs = case_of("depthwise, sum", 40)
    assert inputs[2].shape[1] > 100
    torch.testing.assert_close(program.module()(*inputs), module(*inputs))


@pytest.mark.filterwarnings("ignore")
def test_a_program_has_weights_of_its_own():
    module, inputs = case_of("depthwise, sum", FEW)
    program, before = exported(module, inputs), module(*inputs)
    module.load_state_dict({k: 2 * v for k, v in module.state_dict().items()}, strict=False)
    assert (module(*inputs) - before).abs().max() > 0.1
    torch.testing.assert_close(program.module()(*inputs), before)
    del module
    torch.testing.assert_close(program.module()(*inputs), before)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("strict", [False, True])
def test_a_layer_that_has_measured_nothing_is_not_exported(strict):
    module, inputs = FromPositions(conv_of(neighbours=None)), graph(FEW)
    with pytest.raises(Exception, match="has not measured its neighbours.*Run one batch first"):
        exported(module, inputs, strict)
    module(*inputs)
    program = exported(module, inputs, strict)
    torch.testing.assert_close(program.module()(*inputs), module(*inputs))


@pytest.mark.filterwarnings("ignore")
def test_point_conv_itself():
    from steerable.convs import PointConv

    conv, inputs = conv_of(make=PointConv), graph(FEW)
    program = exported(conv, inputs)
    torch.testing.assert_close(program.module()(*graph(MANY)), conv(*graph(MANY)))


@pytest.mark.filterwarnings("ignore")
def test_a_regressor_of_given_edges():
    model = Regressor(Reference((1, 6)), "4x0e+2x1o", 1, 2.0, "0e+1o", 2, neighbours=4.0).double()

    def inputs(nodes):
        _, pos, edges = graph(nodes)
        return torch.arange(nodes) % 2 * 5 + 1, pos, torch.arange(nodes) * 2 // nodes, edges, 2

    shapes = ({0: DYNAMIC}, {0: DYNAMIC}, {0: DYNAMIC}, {1: DYNAMIC}, None)
    for strict in (False, True):
        program = torch.export.export(model, inputs(FEW), dynamic_shapes=shapes, strict=strict)
        result, wanted = program.module()(*inputs(MANY)), model(*inputs(MANY))
        torch.testing.assert_close(result, wanted, atol=TOLERANCE, rtol=TOLERANCE)
