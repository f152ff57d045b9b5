"""The order `radial`: its written derivatives against autograd, and what it refuses."""

import pytest
import torch

from convs.points.test_engines import field_of
from steerable.convs.points.cost import ENGINES
from steerable.convs.points.engines import Local
from steerable.convs.points.point_conv import PointConv
from steerable.filters import HarmonicFilter, ImplicitFilter
from steerable.groups import O2, O3, point_group
from steerable.ops import Inputs

DOUBLE, SLOTS = torch.float64, (3, 4)
RADIAL = ENGINES["radial"]


def block(group):
    """A contraction, and a block of three targets with four neighbours each."""
    filter = HarmonicFilter(1, 2.0, channels=2, group=group)
    conv = PointConv(field_of(group, 3), field_of(group, 2), filter, "depthwise").double()
    weights = conv.contraction.bind()
    shapes = RADIAL.shapes(conv.contraction.recipe)
    return weights, *drawn(shapes)


def drawn(shapes):
    rows = SLOTS[0] * SLOTS[1]
    values = [torch.randn(rows, *shape, dtype=DOUBLE, requires_grad=True) for shape in shapes.edge]
    features = [
        torch.randn(rows, *shape, dtype=DOUBLE, requires_grad=True) for shape in shapes.source
    ]
    return values, features


def like(tensors):
    return [torch.randn_like(tensor) for tensor in tensors]


@pytest.mark.parametrize("group", [O3(), O2(), point_group("Td")], ids=str)
def test_sums_are_written_out_over_slots(group):
    weights, (phi, harmonics), x = block(group)
    y, features = RADIAL(weights, Local(SLOTS, [phi, harmonics], x)), weights.layout.split(*x)
    wanted = [torch.zeros_like(part) for part in y]
    for k, path in enumerate(weights):
        terms = harmonics[:, path.at], weights.tensor(k), features[path.term]
        message = torch.einsum("eh,hio,eic->eoc", *terms)
        message = message * (phi @ weights.radial[:, weights.columns(k)]).unsqueeze(1)
        total = message.unflatten(0, SLOTS).sum(1) @ weights.mixing(k)
        wanted[path.out] = wanted[path.out] + total
    for part, expected in zip(y, wanted, strict=True):
        torch.testing.assert_close(part, expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("group", [O3(), O2(), point_group("Td")], ids=str)
def test_derivatives_are_those_of_autograd(group):
    weights, values, features = block(group)
    leaves, local = [*values, *features, *weights.tensors], Local(SLOTS, values, features)
    y = RADIAL(weights, local)
    grads, inputs = [part.requires_grad_() for part in like(y)], [*values, *features]
    first = torch.autograd.grad(y, leaves, grads, create_graph=True)
    with torch.no_grad():
        result = RADIAL.pull(weights, local, grads, [True] * len(leaves))
    for a, b in zip(result, first, strict=True):
        torch.testing.assert_close(a, b, atol=1e-12, rtol=0)

    tangents = like(inputs)
    product = sum((a * b).sum() for a, b in zip(tangents, first, strict=False))
    second = torch.autograd.grad(product, [*grads, *leaves])
    with torch.no_grad():
        to_grads, to_leaves = RADIAL.pull_twice(weights, local, grads, tangents)
    for a, b in zip([*to_grads, *to_leaves], second, strict=True):
        torch.testing.assert_close(a, b, atol=1e-11, rtol=0)


def test_where_it_applies():
    field, filter = field_of(O3(), 2), HarmonicFilter(1, 2.0)
    full = PointConv(field, field, filter).contraction
    implicit = ImplicitFilter(field, 2.0)
    assert RADIAL.applies(filter, PointConv(field, field, filter, "depthwise").contraction)
    assert not RADIAL.applies(filter, full)
    assert not RADIAL.applies(implicit, PointConv(field, field, implicit, "depthwise").contraction)
    with pytest.raises(ValueError, match="radial is that of depthwise contractions; got full"):
        RADIAL.shapes(full.recipe)


def test_there_are_no_loops_for_mixed_numbers():
    weights, values, features = block(O3())
    mixed = Inputs([value.float() for value in values], features, weights.tensors)
    assert RADIAL.loops(weights, mixed) is None
