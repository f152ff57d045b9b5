"""Neighbourhoods in blocks, and the moments that are summed over them."""

import numpy as np
import pytest
import torch

from steerable.ops import neighbourhoods
from steerable.ops.sums.neighbourhoods import _counted, _sorted


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


@pytest.mark.parametrize("in_order", [False, True])
@pytest.mark.parametrize("rows_of", [_sorted, _counted])
@pytest.mark.parametrize(("nodes", "edges"), [(30, 200), (2, 5), (100, 40), (3, 0), (0, 0)])
def test_rows_are_the_edges_by_their_targets(nodes, edges, rows_of, in_order):
    source, target = random_edges(nodes, edges) if edges else torch.zeros(2, 0, dtype=torch.long)
    target = target.sort().values if in_order else target
    rows = rows_of(neighbourhoods(torch.stack([source, target]), nodes))
    if rows is None:
        pytest.skip("there is no C compiler")
    order = target.argsort(stable=True)
    assert (rows.order is None) == bool(torch.equal(order, torch.arange(edges)))
    assert rows.order is None or torch.equal(rows.order, order)
    assert torch.equal(rows.source, source[order])
    assert rows.first.tolist() == [int((target < node).sum()) for node in range(nodes + 1)]
    assert rows.span == ((int(source.min()), int(source.max())) if edges else (0, -1))
