"""Pairs of degrees against their definition and known counts."""

import networkx
import pytest

from steerable.layers.sphere.degree_mixing import degree_pairs


@pytest.mark.parametrize(
    ("top", "ordered", "unordered"), [(3, 34, 23), (5, 111, 69), (8, 369, 215)]
)
def test_all_pairs_are_those_of_the_clebsch_gordan_series(top, ordered, unordered):
    """The known numbers of paths, of which those of equal degrees and an odd one vanish."""
    full = [(a, b, l) for l in range(top + 1) for a, b in degree_pairs(top, l, "full")]
    odd = sum(l <= 2 * a for a in range(top + 1) for l in range(1, top + 1, 2))
    assert len(full) + odd == unordered
    assert sum(1 if a == b else 2 for a, b, _ in full) + odd == ordered
    assert all(a <= b and b - a <= l <= a + b for a, b, l in full)


@pytest.mark.parametrize("top", [1, 2, 5, 11])
def test_the_tree_joins_all_degrees_at_the_least_cost(top):
    for l in range(1, top + 1):
        tree, full = degree_pairs(top, l), degree_pairs(top, l, "full")
        assert set(tree) <= set(full) and len(tree) == top
        graph = networkx.Graph()
        graph.add_nodes_from(range(top + 1))
        graph.add_weighted_edges_from((a, b, (2 * a + 1) * (2 * b + 1)) for a, b in full if a < b)
        least = networkx.minimum_spanning_tree(graph).size(weight="weight")
        assert sum((2 * a + 1) * (2 * b + 1) for a, b in tree) == least
        assert networkx.is_connected(networkx.Graph([*tree]))


def test_degree_zero_has_every_power():
    assert degree_pairs(3, 0) == [(0, 0), (1, 1), (2, 2), (3, 3)]
    assert degree_pairs(0, 0) == [(0, 0)]


def test_another_mixing():
    with pytest.raises(ValueError, match="tree or full; got 'some'"):
        degree_pairs(3, 1, "some")
