"""Autocast, mixed precision, devices without memory, attributes that do not fit."""

import pytest
import torch
from torch.autograd import grad

from contracts.points import conv_of, edge_attr, graph
from steerable.models import Reference, Regressor
from steerable.ops import Edges

KINDS = ["depthwise", "full", "implicit"]
HALF = [torch.bfloat16, torch.float16]


def case_of(kind, dtype=torch.float32, **options):
    """A layer and its inputs."""
    x, pos, edges = graph()
    attr = edge_attr(edges).to(dtype) if kind == "implicit" else None
    return conv_of(kind, **options).to(dtype), x.to(dtype), pos.to(dtype), edges, attr


@pytest.mark.parametrize("many_edges", [0, 16_384])
@pytest.mark.parametrize("half", HALF)
@pytest.mark.parametrize("kind", KINDS)
def test_autocast_leaves_the_convolution_in_its_precision(kind, half, many_edges, monkeypatch):
    monkeypatch.setattr("steerable.convs.points.neighbour_conv._MANY_EDGES", many_edges)
    conv, x, pos, edges, attr = case_of(kind, aggregation="attention", self_interaction=True)
    leaves = [x.requires_grad_(), pos.requires_grad_(), *conv.parameters()]
    results = []
    for enabled in (False, True):
        with torch.autocast("cpu", half, enabled=enabled):
            y = conv(x, Edges.between(pos, edges), attr)
        results.append([y, *grad(y.square().sum(), leaves)])
        for context in (torch.no_grad(), torch.inference_mode()):
            with torch.autocast("cpu", half, enabled=enabled), context:
                results[-1].append(conv(x, Edges.between(pos, edges), attr).clone())
    torch.testing.assert_close(*results)
    with torch.autocast("cpu", half):  # features of a layer before that computes in half precision
        y = conv(x.to(half), Edges.between(pos, edges), attr)
        assert y.dtype == torch.float32
        y.sum().backward()
    torch.testing.assert_close(y, results[0][0], rtol=0.05, atol=0.05)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", KINDS)
def test_positions_of_another_precision(kind, dtype):
    """Far from the origin, offsets of float64 positions are exact."""
    conv, x, pos, edges, attr = case_of(kind, dtype)
    near, far = pos.double(), pos.double() + 1e6
    y = conv(x, Edges.between(near, edges), attr)
    assert y.dtype == dtype
    torch.testing.assert_close(conv(x, Edges.between(far, edges), attr), y, rtol=1e-5, atol=1e-5)
    single = conv(x, Edges.between(near.float(), edges), attr)
    assert single.dtype == dtype
    torch.testing.assert_close(single, y, rtol=1e-5, atol=1e-5)
    forces = near.requires_grad_()
    (force,) = grad(conv(x, Edges.between(forces, edges), attr).sum(), forces)
    assert force.dtype == torch.float64


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_network_takes_positions_of_any_precision(dtype):
    model = Regressor(Reference((1, 6)), "4x0e+2x1o", 1, 2.0, "0e+1o", 2, neighbours=4.0).to(dtype)
    z, (_, pos, edges) = torch.arange(8) % 2 * 5 + 1, graph()
    wanted = model(z, pos.to(dtype), None, edges)
    for other in (torch.float32, torch.float64):
        place = pos.to(other).requires_grad_()
        energy = model(z, place, None, edges)
        torch.testing.assert_close(energy, wanted, rtol=1e-5, atol=1e-5)
        (force,) = grad(energy.sum(), place)
        assert force.dtype == other and energy.dtype == wanted.dtype


def test_features_of_another_precision_are_refused():
    conv, x, pos, edges, _ = case_of("depthwise")
    with pytest.raises(ValueError, match="floating-point dtype and got torch.int64"):
        conv(x.long(), Edges.between(pos, edges))
    for other in (torch.float64, torch.bfloat16):
        with pytest.raises(ValueError, match=r"float32; got features of .*x.to\(torch.float32\)"):
            conv(x.to(other), Edges.between(pos, edges))
    with pytest.raises(ValueError, match="got features of torch.float64"):
        conv((x, x.double()), Edges.between(pos, edges))


def test_half_precision_throughout():
    conv, x, pos, edges, _ = case_of("full")
    wanted = conv(x, Edges.between(pos, edges))
    result = conv.bfloat16()(x.bfloat16(), Edges.between(pos, edges))
    assert result.dtype == torch.bfloat16
    torch.testing.assert_close(result.float(), wanted, rtol=0.1, atol=0.1)


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        ({"node_attr": (7, 2)}, r"node_attr has one row per source \(8\); got 7"),
        ({"node_attr": (9, 2)}, r"node_attr has one row per source \(8\); got 9"),
        ({"edge_attr": (3, 4)}, r"edge_attr has one row per edge"),
        ({"node_attr": (8, 1)}, r"edge_attr and twice node_attr make 2"),
        ({}, r"edge_attr and twice node_attr make 0"),
    ],
)
def test_attributes_that_do_not_fit(attributes, text):
    conv, x, pos, edges, _ = case_of("implicit", torch.float64)
    given = {name: torch.zeros(shape, dtype=x.dtype) for name, shape in attributes.items()}
    with pytest.raises(ValueError, match=text):
        conv(x, Edges.between(pos, edges), **given)
