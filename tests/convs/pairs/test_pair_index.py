"""Pairs of nodes: against loops over the graphs of a batch, packed, square and padded."""

import math

import pytest
import torch

from oracles.pairs import rings
from steerable.convs.pairs.pair_index import RaggedPairs, SquarePairs, pack, pairs_of, unpack

DOUBLE = torch.float64
BATCHES = {"ragged": [3, 0, 5, 1, 3], "square": [4, 4, 4], "one": [1, 1], "nothing": [0, 0]}


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


def batch_of(sizes):
    return torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))


def squares(x, sizes):
    """Every graph by itself (n, n, channel)."""
    parts = x.split([n * n for n in sizes])
    return [part.view(n, n, x.shape[1]) for n, part in zip(sizes, parts, strict=True)]


def together(parts):
    return torch.cat([part.flatten(0, -2) for part in parts])


@pytest.mark.parametrize("sizes", BATCHES.values(), ids=BATCHES)
def test_every_method_is_a_loop_over_graphs(sizes):
    pairs = pairs_of(batch_of(sizes), len(sizes))
    assert isinstance(pairs, SquarePairs if len(set(sizes)) == 1 else RaggedPairs)
    assert pairs.count == sum(n * n for n in sizes)
    x, v, g = numbers(pairs.count, 2), numbers(sum(sizes), 2, seed=1), numbers(len(sizes), 2)
    graphs, inner = squares(x, sizes), pairs.form(x)
    nodes = v.view(len(sizes), sizes[0], 2) if isinstance(pairs, SquarePairs) else v
    occupied = [graph for graph in graphs if len(graph)]
    wanted = {
        "diagonal": [graph.diagonal().T for graph in graphs],
        "row_mean": [graph.mean(1) for graph in occupied],
        "column_mean": [graph.mean(0) for graph in occupied],
        "transpose": [graph.transpose(0, 1) for graph in graphs],
    }
    for method, parts in wanted.items():
        result = getattr(pairs, method)(inner)
        expected = together(parts) if parts else x[:0]
        torch.testing.assert_close(result.reshape(-1, 2), expected, atol=1e-14, rtol=0)
    means = torch.stack([part.mean(0) if len(part) else 0 * g[0] for part in v.split(sizes)])
    torch.testing.assert_close(pairs.graph_mean(nodes), means, atol=1e-14, rtol=0)
    spread = pairs.to_nodes(g) + 0 * nodes
    assert torch.equal(spread.reshape(-1, 2), g.repeat_interleave(torch.tensor(sizes), 0))


@pytest.mark.parametrize("with_diagonal", [False, True])
@pytest.mark.parametrize("sizes", BATCHES.values(), ids=BATCHES)
def test_sums_of_pairs_rows_columns_and_diagonals(sizes, with_diagonal):
    pairs, count = pairs_of(batch_of(sizes), len(sizes)), sum(sizes)
    x, (rows, columns, diagonal) = numbers(pairs.count, 2), numbers(3, count, 2, seed=1)
    wanted, parts = [], (values.split(sizes) for values in (rows, columns, diagonal))
    for graph, row, column, extra in zip(squares(x, sizes), *parts, strict=True):
        total = graph + row[:, None] + column[None]
        wanted.append(total + torch.eye(len(graph))[:, :, None] * extra * with_diagonal)
    if isinstance(pairs, SquarePairs):
        shape = len(sizes), sizes[0], 2
        rows, columns, diagonal = rows.view(shape), columns.view(shape), diagonal.view(shape)
    result = pairs.add_(pairs.form(x.clone()), rows, columns, diagonal if with_diagonal else None)
    torch.testing.assert_close(result.reshape(-1, 2), together(wanted), atol=1e-14, rtol=0)


@pytest.mark.parametrize("sizes", BATCHES.values(), ids=BATCHES)
def test_ends_are_nodes_of_the_whole_batch(sizes):
    wanted, first = [], 0
    for n in sizes:
        wanted += [(first + i, first + j) for i in range(n) for j in range(n)]
        first += n
    for pairs in (pairs_of(batch_of(sizes), len(sizes)), RaggedPairs(batch_of(sizes), len(sizes))):
        row, column = pairs.ends()
        assert list(zip(row.tolist(), column.tolist(), strict=True)) == wanted


def test_padding_is_left_out_and_comes_back_as_zeros():
    mask = torch.tensor([[1, 1, 0, 1], [0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1]], dtype=torch.bool)
    dense = numbers(4, 4, 4, 2)
    x, pairs = pack(dense, mask)
    assert isinstance(pairs, RaggedPairs) and pairs.nodes.tolist() == [3, 0, 1, 4]
    inside = [dense[g][mask[g]][:, mask[g]].flatten(0, 1) for g in range(4)]
    assert torch.equal(x, torch.cat(inside))
    both = (mask[:, :, None] & mask[:, None])[..., None]
    assert torch.equal(unpack(x, mask), dense * both)


@pytest.mark.parametrize(
    "pairs", [SquarePairs(2, 5), RaggedPairs(torch.arange(2).repeat_interleave(5), 2)]
)
def test_products_are_those_of_matrices(pairs):
    a, b = numbers(2, 5, 5, 3), numbers(2, 5, 5, 3, seed=1)
    result = pairs.product(pairs.form(a.flatten(0, 2)), pairs.form(b.flatten(0, 2))).reshape(
        2, 5, 5, 3
    )
    torch.testing.assert_close(
        result, torch.einsum("gikc,gkjc->gijc", a, b) / math.sqrt(5), atol=1e-14, rtol=0
    )


def test_products_see_triangles():
    pairs = SquarePairs(1, 6)
    for graph, triangles in ((rings(6), 0), (rings(3, 3), 12)):
        a = graph.view(1, 6, 6, 1)
        trace = pairs.diagonal(pairs.product(pairs.product(a, a), a)).sum() * 6
        assert trace.item() == pytest.approx(triangles, abs=1e-12)


def test_errors():
    with pytest.raises(ValueError, match="set after set; `batch` is not sorted. Sort elements"):
        pairs_of(torch.tensor([0, 1, 0]))
    with pytest.raises(ValueError, match="from 0 to 1; got set 4"):
        pairs_of(batch_of(BATCHES["ragged"]), 2)
    with pytest.raises(ValueError, match=r"needs features of 44 pairs, n\^2 .* got \(43, 2\)"):
        pairs_of(batch_of(BATCHES["ragged"])).check(numbers(43, 2), "A layer")
    with pytest.raises(
        ValueError,
        match=r"A mask of nodes is bool \(2, 3\) for pairs \(2, 3, 3, 5\); got torch.float32",
    ):
        pack(numbers(2, 3, 3, 5), torch.ones(2, 3))
    with pytest.raises(ValueError, match=r"square, \(graph, n, n, channel\); got \(2, 3, 4, 5\)"):
        pack(numbers(2, 3, 4, 5), torch.ones(2, 3, dtype=torch.bool))
