"""Neighbour lists with open boundaries.

All pairs within a radius, or the k nearest, within one set or between two.

On a CPU few points are compared directly; of more, one k-d tree of scipy holds all graphs of a
batch, with their number as one more coordinate; both in double precision. On other devices all
pairs are compared, in the precision of the points, where memory allows.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..clouds import check_points
from .cutoffs import check_cutoff
from .dense import all_pairs
from .direct import direct_pairs, is_few
from .pairs import sorted_pairs
from .tree import build_tree, lifted, nearest_in_tree, search_radius


def radius(
    source: Tensor,
    target: Tensor,
    cutoff: float,
    batch_source: Tensor | None = None,
    batch_target: Tensor | None = None,
) -> Tensor:
    """All pairs of a source and a target of one graph that are closer than `cutoff`.

    Pairs at distance zero are included.

    No cap on the number of neighbours. A graph with points in one of the sets alone has no edges.

    Args:
        source: points (source, d).
        target: points (target, d).
        cutoff: radius, in the unit of the points.
        batch_source: graph of every source (source,), in any order; all of graph 0 if absent.
        batch_target: graph of every target (target,), likewise.

    Returns:
        edge_index (2, edge): row 0 the source j, row 1 the target i; sorted by target, then source.

    Raises:
        ValueError: positions that are not finite or of different spaces, or a cutoff that is not
            positive.
    """
    _check_sets(source, target, batch_source, batch_target)
    check_cutoff(cutoff, "radius")
    pairs = all_pairs(source, target, batch_source, batch_target)
    if pairs is not None:
        return pairs.edges(*torch.nonzero(pairs.distance < cutoff, as_tuple=True))
    reach = search_radius(source, target, cutoff)
    sources, targets = (
        build_tree(source, batch_source, reach),
        build_tree(target, batch_target, reach),
    )
    distances = sources.sparse_distance_matrix(targets, reach, output_type="ndarray")
    return sorted_pairs(torch.from_numpy(distances["i"]), torch.from_numpy(distances["j"])).to(
        source.device
    )


def radius_graph(pos: Tensor, cutoff: float, batch: Tensor | None = None) -> Tensor:
    """All ordered pairs of different points of one graph that are closer than `cutoff`.

    `radius` within one set.

    Args:
        pos: points (node, d).
        cutoff: radius, in the unit of `pos`.
        batch: graph of every point (node,), in any order; one graph if absent.

    Returns:
        edge_index (2, edge): row 0 the source j, row 1 the target i; sorted by target, then source.

    Raises:
        ValueError: positions that are not finite, or a cutoff that is not positive.
    """
    check_points(pos, batch)
    check_cutoff(cutoff, "radius_graph")
    if is_few(pos):
        return direct_pairs(pos, cutoff, batch)
    pairs = all_pairs(pos, pos, batch, batch)
    if pairs is not None:
        edges = pairs.edges(*torch.nonzero(pairs.distance < cutoff, as_tuple=True))
        return edges[:, edges[0] != edges[1]]
    reach = search_radius(pos, pos, cutoff)
    first, second = torch.from_numpy(
        build_tree(pos, batch, reach).query_pairs(reach, output_type="ndarray")
    ).T
    return sorted_pairs(torch.cat([first, second]), torch.cat([second, first])).to(pos.device)


def knn(
    source: Tensor,
    target: Tensor,
    k: int,
    batch_source: Tensor | None = None,
    batch_target: Tensor | None = None,
) -> Tensor:
    """The k sources nearest to every target in its graph, also those at distance zero.

    Of sources at equal distance those with the lowest index are taken. A graph with points in one
    of the sets alone has no edges.

    Args:
        source: points (source, d).
        target: points (target, d).
        k: how many; all sources of the graph where there are fewer.
        batch_source: graph of every source (source,), in any order; all of graph 0 if absent.
        batch_target: graph of every target (target,), likewise.

    Returns:
        edge_index (2, edge): row 0 the source j, row 1 the target i; sorted by target, then source.

    Raises:
        ValueError: positions that are not finite or of different spaces, or k below 1.
    """
    _check_sets(source, target, batch_source, batch_target)
    _check_count(k, "knn")
    pairs = all_pairs(source, target, batch_source, batch_target)
    if pairs is not None:
        nearest = pairs.distance.sort(dim=-1, stable=True)
        graph, i, rank = torch.nonzero(nearest.values[..., :k] < float("inf"), as_tuple=True)
        return pairs.edges(graph, i, nearest.indices[graph, i, rank])
    reach = search_radius(source, target)
    tree = build_tree(source, batch_source, reach)
    neighbours = torch.from_numpy(
        nearest_in_tree(tree, lifted(target, batch_target, reach), k, k + 1, reach)
    )
    i, rank = torch.nonzero(neighbours < len(source), as_tuple=True)
    return sorted_pairs(neighbours[i, rank], i).to(source.device)


def knn_graph(pos: Tensor, k: int, batch: Tensor | None = None) -> Tensor:
    """The k other points nearest to every point in its graph, as its sources: `knn` within one set.

    Args:
        pos: points (node, d).
        k: how many; all other points of the graph where there are fewer.
        batch: graph of every point (node,), in any order; one graph if absent.

    Returns:
        edge_index (2, edge): row 0 the neighbour, row 1 the point; sorted by point, then neighbour.

    Raises:
        ValueError: positions that are not finite, or k below 1.
    """
    check_points(pos, batch)
    _check_count(k, "knn_graph")
    source, target = knn(pos, pos, k + 1, batch, batch)
    is_self = source == target
    # A point misses among its own k + 1 nearest where that many coincide with it: there the last
    # one is too many.
    crowded = torch.ones(len(pos), dtype=torch.bool, device=pos.device).index_fill(
        0, target[is_self], False
    )
    last = torch.ones_like(is_self)
    last[:-1] = target[1:] != target[:-1]
    keep = ~(is_self | last & crowded[target])
    return torch.stack([source[keep], target[keep]])


def _check_sets(
    source: Tensor, target: Tensor, batch_source: Tensor | None, batch_target: Tensor | None
) -> None:
    check_points(source, batch_source, "source node")
    check_points(target, batch_target, "target node")
    if source.shape[1] != target.shape[1]:
        spaces = f"{source.shape[1]}-d and {target.shape[1]}-d"
        raise ValueError(f"Sources and targets are points of one space; got {spaces}.")


def _check_count(k: int, name: str) -> None:
    if k < 1:
        raise ValueError(f"{name} needs k of at least 1; got {k}.")
