"""The kernel of sums over neighbours: masks and written derivatives against autograd."""

import pytest
import torch

from convs.points.test_engines import field_of
from steerable.convs.points.cost import ENGINES
from steerable.convs.points.neighbour_sum import NeighbourSum
from steerable.convs.points.point_conv import PointConv
from steerable.filters import HarmonicFilter
from steerable.groups import O3
from steerable.ops import Inputs

DOUBLE, SLOTS = torch.float64, (2, 3)
MASK = torch.tensor([1, 1, 0, 1, 0, 0]).unsqueeze(1)  # two neighbours, and one


def kernel_of(engine):
    filter = HarmonicFilter(1, 2.0, channels=2)
    conv = PointConv(field_of(O3(), 3), field_of(O3(), 2), filter, "depthwise").double()
    contraction = conv.contraction
    kernel = NeighbourSum(ENGINES[engine], contraction.recipe, contraction.bind().constants)
    shapes = kernel.engine.shapes(contraction.recipe)
    edge, source = ([drawn(6, *shape) for shape in part] for part in shapes[:2])
    return kernel, Inputs(edge, source, list(contraction.parameters()))


def drawn(*shape):
    return torch.randn(*shape, dtype=DOUBLE, requires_grad=True)


@pytest.mark.parametrize("engine", ENGINES)
def test_slots_that_are_masked_count_for_nothing(engine):
    kernel, inputs = kernel_of(engine)
    result = kernel(SLOTS, MASK, inputs)
    assert result.shape == (2, kernel.width)
    for node, slots in enumerate(([0, 1], [3])):
        rows = [[part[slots] for part in tensors] for tensors in inputs[:2]]
        alone = kernel((1, len(slots)), None, Inputs(*rows, inputs.weights))
        torch.testing.assert_close(result[node], alone[0], atol=1e-12, rtol=0)


@pytest.mark.parametrize("mask", [None, MASK], ids=["full", "masked"])
def test_derivatives_are_those_of_autograd(mask):
    kernel, inputs = kernel_of("radial")
    grad, tensors = drawn(2, kernel.width), inputs.tensors
    first = torch.autograd.grad(kernel(SLOTS, mask, inputs), tensors, grad, create_graph=True)
    with torch.no_grad():
        result = kernel.pull(SLOTS, mask, inputs, grad, [True] * len(tensors))
    for a, b in zip(result, first, strict=True):
        torch.testing.assert_close(a, b, atol=1e-12, rtol=0)

    count = len(inputs.edge) + len(inputs.source)
    tangents = [torch.randn_like(t) for t in tensors[:count]]
    tangents[1] = None  # nothing depends on the gradient of the harmonics
    pairs = zip(tangents, first, strict=False)
    product = sum((a * b).sum() for a, b in pairs if a is not None)
    second = torch.autograd.grad(product, [grad, *tensors])
    with torch.no_grad():
        no_weights = [None] * (len(tensors) - count)
        result = kernel.pull_twice(SLOTS, mask, inputs, grad, tangents + no_weights)
    for a, b in zip(result, second, strict=True):
        torch.testing.assert_close(a, b, atol=1e-11, rtol=0)


def test_what_is_not_written_out_is_left_to_autograd():
    kernel, inputs = kernel_of("radial")
    grad, seconds = drawn(2, kernel.width), [torch.randn_like(t) for t in inputs.tensors]
    assert kernel.pull_twice(SLOTS, None, inputs, grad, seconds) is None  # those of weights
    kernel, inputs = kernel_of("aggregate")
    needs = [True] * len(inputs.tensors)
    assert kernel.pull(SLOTS, None, inputs, grad, needs) is None
    assert kernel.pull_twice(SLOTS, None, inputs, grad, [None] * len(needs)) is None
    assert kernel.loops(inputs) is None
