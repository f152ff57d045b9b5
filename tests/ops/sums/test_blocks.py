"""Sums in blocks against one graph of autograd: memory, batches of gradients, transforms."""

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from oracles.edge_products import Product, draw, in_one_graph
from steerable.ops import Inputs, blockwise, neighbourhoods

GENERATOR = torch.Generator().manual_seed(0)
EDGES = torch.stack(
    [
        torch.randint(6, (30,), generator=GENERATOR),
        torch.randint(5, (30,), generator=GENERATOR).square() % 5,  # some have none
    ]
)


def summed(block_edges=4096, recompute=True, edge_index=EDGES):
    hood = neighbourhoods(edge_index, 6, block_edges)

    def function(e, f, w):
        return blockwise(Product(), hood, Inputs([e], [f], [w]), recompute)

    return function


@pytest.mark.parametrize("recompute", [True, False])
@pytest.mark.parametrize("block_edges", [1, 8, 4096])
def test_blocks_of_any_size_are_the_sum(block_edges, recompute):
    function, inputs = summed(block_edges, recompute), draw(EDGES, 6)
    y = function(*inputs.tensors)
    torch.testing.assert_close(y, in_one_graph(EDGES, 6, inputs))
    assert not y[torch.bincount(EDGES[1], minlength=6) == 0].any()
    assert gradcheck(function, inputs.tensors, fast_mode=True)
    assert gradgradcheck(function, inputs.tensors, fast_mode=True)


def test_nothing_but_the_inputs_is_kept():
    """Counted by what autograd saves."""
    inputs, sizes = draw(EDGES, 6), []

    def pack(tensor):
        sizes.append(tensor.data_ptr())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        summed()(*inputs.tensors)
    assert set(sizes) == {tensor.data_ptr() for tensor in inputs.tensors}


@pytest.mark.parametrize("recompute", [True, False])
def test_no_edges_have_gradients_of_zero(recompute):
    nothing = torch.zeros(2, 0, dtype=torch.long)
    inputs = draw(nothing, 6)
    y = summed(recompute=recompute, edge_index=nothing)(*inputs.tensors)
    assert y.shape == (6, 2) and not y.any()
    gradients = torch.autograd.grad(y.sum(), inputs.tensors)
    assert [gradient.abs().sum().item() for gradient in gradients] == [0, 0, 0]


def test_batches_of_gradients():
    """Of first and second order, one by one."""
    function, tensors = summed(), draw(EDGES, 6).tensors
    y = function(*tensors)
    seeds = torch.randn(3, 6, 2, dtype=torch.float64)
    batch = torch.autograd.grad(y, tensors, seeds, is_grads_batched=True, create_graph=True)
    for k, seed in enumerate(seeds):
        single = torch.autograd.grad(y, tensors, seed, create_graph=True)
        torch.testing.assert_close([part[k] for part in batch], list(single))
    scalar = torch.autograd.functional.hessian
    f = lambda e: function(e, *tensors[1:]).pow(3).sum()  # noqa: E731
    torch.testing.assert_close(scalar(f, tensors[0], vectorize=True), scalar(f, tensors[0]))


def test_transforms_of_torch_func():
    function, tensors = summed(), [tensor.detach() for tensor in draw(EDGES, 6).tensors]
    tangents = [torch.randn_like(tensor) for tensor in tensors]
    y, change = torch.func.jvp(function, tuple(tensors), tuple(tangents))
    steps = []
    for step in (1e-5, -1e-5):
        moved = [t + step * d for t, d in zip(tensors, tangents, strict=True)]
        steps.append(function(*moved))
    torch.testing.assert_close(change, (steps[0] - steps[1]) / 2e-5, rtol=1e-6, atol=1e-6)
    many = torch.stack([tensors[1], 2 * tensors[1]])
    batch = torch.func.vmap(function, (None, 0, None))(tensors[0], many, tensors[2])
    torch.testing.assert_close(batch, torch.stack([y, 2 * y]))
