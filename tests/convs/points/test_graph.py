"""What a convolution sees: parts and single edges by hand, and everything that does not fit."""

from itertools import pairwise

import pytest
import torch

from steerable import Field, FieldMismatchError
from steerable.convs.points.graph import Graph, check_graph, edges_of, pair
from steerable.filters import HarmonicFilter, ImplicitFilter
from steerable.ops import Edges, neighbourhoods

FIELD = Field.parse("2x0e+1x1o")
INDEX = torch.tensor([[3, 0, 2, 1, 0, 4], [2, 0, 2, 0, 1, 0]])


def whole():
    """Five sources, four targets; the last has no edges, and the edges are in no order."""
    edges = Edges(INDEX, torch.randn(6, 3), 4)
    rows = (torch.randn(5, 5), torch.randn(4, 5), torch.randn(6, 2), torch.randn(5, 3))
    return Graph(edges, *rows, torch.randn(4, 3), torch.randn(6))


def described(graph, first=0):
    """What every edge carries: source, target, offset, attributes and weight."""
    rows = torch.cat([graph.edges.offset, graph.attributes(), graph.weight.unsqueeze(1)], 1)
    source, target = graph.edges.index.tolist()
    ends = zip(source, (t + first for t in target), strict=True)
    return {(*end, *row) for end, row in zip(ends, rows.tolist(), strict=True)}


def test_attributes_are_the_edges_the_sources_and_the_targets():
    graph = whole()
    result = graph.attributes()
    for k, (j, i) in enumerate(INDEX.T.tolist()):
        parts = graph.edge_attr[k], graph.source_attr[j], graph.target_attr[i]
        assert torch.equal(result[k], torch.cat(parts))
    plain = Graph(graph.edges, graph.x, None)
    assert plain.attributes() is None and plain.weighted(None) is plain


@pytest.mark.parametrize("cuts", [[0, 4], [0, 1, 4], [0, 2, 3, 4], [0, 1, 2, 3, 4]])
@pytest.mark.parametrize("ordered", [False, True])
def test_parts_have_all_edges_of_their_targets(cuts, ordered):
    graph = whole()
    if ordered:
        by_target = graph.edges.index[:, graph.edges.index[1].argsort(stable=True)]
        edges = Edges(by_target, graph.edges.offset, 4)
        graph = Graph(edges, *(getattr(graph, name) for name in list(vars(graph))[1:]))
    edges = []
    for start, stop in pairwise(cuts):
        part = graph.part(start, stop)
        assert part.edges.size == stop - start and part.x is graph.x
        edges.append(described(part, start))
    assert set.union(*edges) == described(graph) and sum(map(len, edges)) == 6


def test_one_edge_each():
    graph = whole()
    alone = graph.one_edge_each()
    assert alone.edges.index.tolist() == [INDEX[0].tolist(), list(range(6))]
    assert torch.equal(alone.attributes(), graph.attributes())
    assert torch.equal(alone.edges.offset, graph.edges.offset) and alone.edges.size == 6


def test_pairs():
    assert pair((1, 2)) == pair([1, 2]) == (1, 2) and pair("x") == ("x", "x")


def test_features_and_attributes_that_do_not_fit():
    graph, filter = whole(), HarmonicFilter(1, 2.0, attributes="2x0e")
    ends = ImplicitFilter("0e", 2.0, "1x1o+1x1o")
    x, edges = (graph.x, graph.target_x), graph.edges
    assert check_graph(FIELD, filter, edges, x, graph.edge_attr).target_features is graph.target_x
    check_graph(FIELD, ends, edges, x, node_attr=(graph.source_attr, graph.target_attr))
    with pytest.raises(FieldMismatchError, match=r"PointConv expects features of 2x0e\+1x1o"):
        check_graph(FIELD, filter, edges, (graph.x[:, 1:], None), graph.edge_attr)
    with pytest.raises(ValueError, match=r"precision of its weights, torch.float32; got .*float64"):
        check_graph(FIELD, filter, edges, graph.x.double(), graph.edge_attr)
    with pytest.raises(ValueError, match=r"edge_attr has one row per edge \(6\); got 5"):
        check_graph(FIELD, filter, edges, x, graph.edge_attr[:5])
    with pytest.raises(ValueError, match=r"node_attr has one row per target \(4\); got 5"):
        check_graph(FIELD, ends, edges, x, node_attr=graph.source_attr)
    with pytest.raises(ValueError, match=r"node_attr has one row per source \(5\); got 4"):
        check_graph(FIELD, ends, edges, x, node_attr=graph.target_attr)
    with pytest.raises(ValueError, match=r"of 2x0e \(2 numbers per edge.*twice node_attr make 0"):
        check_graph(FIELD, filter, edges, x)
    with pytest.raises(ValueError, match=r"edge_attr is \(6, 1\), node_attr None"):
        check_graph(FIELD, filter, edges, x, graph.edge_attr[:, :1])
    with pytest.raises(FieldMismatchError, match="edge_attr of a floating-point dtype and got"):
        check_graph(FIELD, filter, edges, x, graph.edge_attr.long())
    with pytest.raises(ValueError, match=r"weights, torch.float32; got edge_attr of torch.float64"):
        check_graph(FIELD, filter, edges, x, graph.edge_attr.double())
    with pytest.raises(ValueError, match="need features of the targets: pass x as a pair"):
        _ = check_graph(FIELD, filter, edges, (graph.x, None), graph.edge_attr).target_features
    between = Edges(INDEX, edges.offset, 4, sources=5)
    check_graph(FIELD, filter, between, x, graph.edge_attr)
    with pytest.raises(ValueError, match="come from 5 nodes; got 10 rows of features"):
        check_graph(FIELD, filter, between, graph.x.repeat(2, 1), graph.edge_attr)
    with pytest.raises(ValueError, match="lead to 4 nodes; got 5 rows of their features"):
        _ = check_graph(FIELD, filter, between, graph.x, graph.edge_attr).target_features
    plane = Edges(INDEX, torch.randn(6, 2), 4)
    with pytest.raises(ValueError, match=r"3 coordinates .*relative positions \(6, 2\)"):
        check_graph(FIELD, filter, plane, x, graph.edge_attr)


def test_positions_and_edges_that_do_not_fit():
    x, pos, index = torch.randn(4, 5), torch.randn(4, 3), torch.tensor([[0, 1], [1, 2]])
    with pytest.raises(ValueError, match=r"row per node \(node, channel\); got \(2, 4, 5\)"):
        edges_of(x.expand(2, 4, 5), pos, index, 3)
    edges = edges_of(x, pos, index, 3)
    torch.testing.assert_close(edges.offset, pos[[0, 1]] - pos[[1, 2]])
    assert edges_of(x, edges, None, 3) is edges
    assert torch.equal(edges_of(None, pos, neighbourhoods(index, 4), 3).index, index)
    with pytest.raises(ValueError, match="Edges hold their index and shifts: leave edge_index"):
        edges_of(x, edges, index, 3)
    with pytest.raises(ValueError, match=r"needs the edges: pass edge_index \(2, edge\)"):
        edges_of(x, pos, None, 3)
    with pytest.raises(ValueError, match=r"positions of 2 coordinates \(node, 2\); got \(4, 3\)"):
        edges_of(x, pos, index, 2)
    with pytest.raises(ValueError, match="4 rows of features, 3 of positions"):
        edges_of((x, None), (pos[:3], pos), index, 3)
