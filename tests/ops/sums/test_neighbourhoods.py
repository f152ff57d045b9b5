"""Neighbourhoods in blocks, and the moments that are summed over them."""

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from steerable.ops import moments, neighbourhoods


def random_edges(nodes, edges, seed=0):
    """Edges in any order, some twice, some from a node to itself.

    The last node has none and one has many.
    """
    rng = np.random.default_rng(seed)
    target = np.where(rng.random(edges) < 0.2, 1, rng.integers(0, max(nodes - 1, 1), edges))
    return torch.from_numpy(np.stack([rng.integers(0, nodes, edges), target]))


@pytest.mark.parametrize("block_edges", [1, 7, 64, 4096])
@pytest.mark.parametrize(("nodes", "edges"), [(30, 200), (2, 5), (100, 40)])
def test_every_target_has_its_edges_once(nodes, edges, block_edges):
    edge_index = random_edges(nodes, edges)
    hood = neighbourhoods(edge_index, nodes, block_edges)
    assert hood.edge_index is edge_index and hood.size == nodes
    seen = {}
    for block in hood.blocks:
        used = torch.ones_like(block.edges, dtype=torch.bool) if block.mask is None else block.mask
        assert block.edges.shape == used.shape and len(block.edges) == len(block.nodes)
        assert block.edges.numel() <= block_edges or len(block.nodes) == 1
        assert (block.mask is None) == bool(used.all())
        for node, numbers, mask in zip(block.nodes.tolist(), block.edges, used, strict=True):
            assert node not in seen
            seen[node] = numbers[mask].tolist()
    target = edge_index[1].tolist()
    expected = {i: [e for e, t in enumerate(target) if t == i] for i in set(target)}
    assert seen == expected


def test_nodes_of_one_degree_are_one_dense_block():
    hood = neighbourhoods(torch.tensor([[1, 2, 0, 2, 0, 1], [0, 0, 1, 1, 2, 2]]), 3)
    assert len(hood.blocks) == 1 and hood.blocks[0].mask is None
    assert hood.blocks[0].edges.tolist() == [[0, 1], [2, 3], [4, 5]]


@pytest.mark.parametrize("size", [0, 4])
def test_no_edges(size):
    hood = neighbourhoods(torch.zeros(2, 0, dtype=torch.long), size)
    assert hood.blocks == () and hood.size == size


@pytest.mark.parametrize("target", [3, 9])
def test_a_target_out_of_range_is_not_dropped(target):
    with pytest.raises(ValueError, match=f"{target}"):
        neighbourhoods(torch.tensor([[0, 1, 2], [1, 2, target]]), 3)


def draw(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


@pytest.mark.parametrize(
    ("nodes", "slots", "rows", "channels", "components"), [(3, 4, 2, 5, 3), (1, 1, 1, 1, 1)]
)
def test_moments_are_the_sum_written_out(nodes, slots, rows, channels, components):
    weight, features = (
        draw(nodes, slots, rows, components),
        draw(nodes, slots, components, channels, seed=1),
    )
    expected = torch.zeros(nodes, rows, channels, dtype=torch.float64)
    for i, s, r, c, m in np.ndindex(nodes, slots, rows, channels, components):
        expected[i, r, c] += weight[i, s, r, m] * features[i, s, m, c]
    torch.testing.assert_close(moments(weight, features), expected)


@pytest.mark.parametrize(("nodes", "slots"), [(0, 4), (3, 0)])
def test_moments_of_nothing(nodes, slots):
    found = moments(torch.zeros(nodes, slots, 2, 3), torch.zeros(nodes, slots, 3, 5))
    assert found.equal(torch.zeros(nodes, 2, 5))


def test_forces_may_train_through_moments():
    inputs = draw(2, 3, 2, 3).requires_grad_(), draw(2, 3, 3, 2, seed=1).requires_grad_()
    assert gradcheck(moments, inputs) and gradgradcheck(moments, inputs)
