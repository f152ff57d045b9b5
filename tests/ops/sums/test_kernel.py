"""What a sum computes, with gradients derived, written out, or by loops: all the same."""

import pytest
import torch

from oracles.edge_products import Looped, Product, Written, draw, in_one_graph
from steerable.ops import Inputs, blockwise, neighbourhoods

EDGES = torch.tensor([[0, 1, 2, 3, 3, 0, 0], [1, 1, 1, 0, 3, 3, 1]])  # node 2 has none
HOOD = neighbourhoods(EDGES, 4)


def derivatives(function, inputs, needed):
    """The value, first derivatives, and those of a function of these."""
    y = function(inputs)
    first = torch.autograd.grad(y.pow(3).sum(), needed, create_graph=True)
    square = sum(g.square().sum() for g in first)
    return [y, *first, *torch.autograd.grad(square, needed)]


@pytest.mark.parametrize("needed", [(0, 1, 2), (0,), (1,), (2,), (0, 1)])
@pytest.mark.parametrize("kernel", [Product(), Written(), Looped()], ids=lambda k: type(k).__name__)
def test_values_and_two_derivatives(kernel, needed):
    inputs = draw(EDGES, 4)
    chosen = []
    for k, tensor in enumerate(inputs.tensors):
        tensor.requires_grad_(k in needed)
        chosen += [tensor] if k in needed else []
    results = derivatives(lambda inputs: blockwise(kernel, HOOD, inputs), inputs, chosen)
    expected = derivatives(lambda inputs: in_one_graph(EDGES, 4, inputs), inputs, chosen)
    torch.testing.assert_close(results, expected)


def test_inputs_are_in_order():
    a, b, c, d = torch.eye(4)
    inputs = Inputs([a], [b, c], [d])
    assert inputs.counts == (1, 2)
    assert all(x is y for x, y in zip(inputs.tensors, (a, b, c, d), strict=True))
