"""Neighbour lists with open boundaries.

All pairs within a radius, or the k nearest, within one set or between two.

On a CPU one k-d tree of scipy holds all graphs of a batch, with their number as one more
coordinate, in double precision; on other devices all pairs are compared, in the precision of the
points, where memory allows.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from .clouds import check_points, clouds

_DENSE_PAIRS = 16_000_000
_TIED_PAIRS = 4_000_000


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
    _check_cutoff(cutoff, "radius")
    pairs = _all_pairs(source, target, batch_source, batch_target)
    if pairs is not None:
        return pairs.edges(*torch.nonzero(pairs.distance < cutoff, as_tuple=True))
    reach = _reach(source, target, cutoff)
    sources, targets = _tree(source, batch_source, reach), _tree(target, batch_target, reach)
    found = sources.sparse_distance_matrix(targets, reach, output_type="ndarray")
    return _sorted(torch.from_numpy(found["i"]), torch.from_numpy(found["j"])).to(source.device)


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
    _check_cutoff(cutoff, "radius_graph")
    pairs = _all_pairs(pos, pos, batch, batch)
    if pairs is not None:
        edges = pairs.edges(*torch.nonzero(pairs.distance < cutoff, as_tuple=True))
        return edges[:, edges[0] != edges[1]]
    reach = _reach(pos, pos, cutoff)
    first, second = torch.from_numpy(
        _tree(pos, batch, reach).query_pairs(reach, output_type="ndarray")
    ).T
    return _sorted(torch.cat([first, second]), torch.cat([second, first])).to(pos.device)


def knn(
    source: Tensor,
    target: Tensor,
    k: int,
    batch_source: Tensor | None = None,
    batch_target: Tensor | None = None,
) -> Tensor:
    """The k sources nearest to every target in its graph, also those at distance zero.

    All where there are fewer.

    Of sources at equal distance those with the lowest index are taken. A graph with points in one
    of the sets alone has no edges.

    Args:
        source: points (source, d).
        target: points (target, d).
        k: how many.
        batch_source: graph of every source (source,), in any order; all of graph 0 if absent.
        batch_target: graph of every target (target,), likewise.

    Returns:
        edge_index (2, edge): row 0 the source j, row 1 the target i; sorted by target, then source.

    Raises:
        ValueError: positions that are not finite or of different spaces, or k below 1.
    """
    _check_sets(source, target, batch_source, batch_target)
    _check_count(k, "knn")
    pairs = _all_pairs(source, target, batch_source, batch_target)
    if pairs is not None:
        nearest = pairs.distance.sort(dim=-1, stable=True)
        graph, i, rank = torch.nonzero(nearest.values[..., :k] < float("inf"), as_tuple=True)
        return pairs.edges(graph, i, nearest.indices[graph, i, rank])
    reach = _reach(source, target)
    tree = _tree(source, batch_source, reach)
    found = torch.from_numpy(_nearest(tree, _lifted(target, batch_target, reach), k, k + 1, reach))
    i, rank = torch.nonzero(found < len(source), as_tuple=True)
    return _sorted(found[i, rank], i).to(source.device)


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
    own = source == target
    # A point misses among its own k + 1 nearest where that many coincide with it: there the last
    # one is too many.
    crowded = torch.ones(len(pos), dtype=torch.bool, device=pos.device).index_fill(
        0, target[own], False
    )
    last = torch.ones_like(own)
    last[:-1] = target[1:] != target[:-1]
    keep = ~(own | last & crowded[target])
    return torch.stack([source[keep], target[keep]])


class _AllPairs(NamedTuple):
    distance: Tensor
    """(graph, target, source), infinite where there is no pair."""
    sources: Tensor
    """(graph, slot)"""
    targets: Tensor
    """(graph, slot)"""

    def edges(self, graph: Tensor, target: Tensor, source: Tensor) -> Tensor:
        return _sorted(self.sources[graph, source], self.targets[graph, target])


def _compares_all(pos: Tensor) -> bool:
    """Whether to compare all pairs: on a CPU the tree measured faster at every size."""
    return pos.device.type != "cpu"


@torch.no_grad()
def _all_pairs(
    source: Tensor, target: Tensor, batch_source: Tensor | None, batch_target: Tensor | None
) -> _AllPairs | None:
    """The distances of all pairs of one graph; None where the tree is to search."""
    if not _compares_all(source):
        return None
    sets = clouds(batch_source, source), clouds(batch_target, target)
    if len(sets[0].numbers) * sets[0].widest * sets[1].widest > _DENSE_PAIRS:
        return None
    (j, is_source), (i, is_target) = (
        tuple(part[torch.isin(one.numbers, other.numbers)] for part in one.slots())
        for one, other in (sets, sets[::-1])
    )
    distance = torch.linalg.vector_norm(source[j][:, None] - target[i][:, :, None], dim=-1)
    pair = is_target[:, :, None] & is_source[:, None]
    return _AllPairs(distance.masked_fill(~pair, float("inf")), j, i)


def _reach(source: Tensor, target: Tensor, cutoff: float = float("inf")) -> float:
    """What the tree is asked for.

    The largest distance below the cutoff, or more than any within a graph.
    """
    both = torch.cat([source, target]).detach().cpu().double()
    span = float(torch.linalg.vector_norm(both.amax(0) - both.amin(0))) if len(both) else 0.0
    return min(float(np.nextafter(cutoff, 0)), 2 * span + 1)


def _lifted(pos: Tensor, batch: Tensor | None, reach: float) -> np.ndarray:
    """Points (node, d + 1), with those of different graphs out of reach of each other."""
    batch = torch.zeros(len(pos)) if batch is None else batch
    graph = batch.cpu().double()[:, None] * (2 * reach)
    return torch.cat([pos.detach().cpu().double(), graph], dim=1).numpy()


def _tree(pos: Tensor, batch: Tensor | None, reach: float) -> Any:
    from scipy.spatial import cKDTree

    return cKDTree(
        _lifted(pos, batch, reach), balanced_tree=False
    )  # sooner made and up to 1.5 times faster to search


def _nearest(tree: Any, points: np.ndarray, k: int, width: int, reach: float) -> np.ndarray:
    """The nearest k (point, k) of points (point, d + 1) in the tree, found among `width`.

    `tree.n` where none is.
    """
    width = max(1, min(width, tree.n))
    distance, found = tree.query(points, range(1, width + 1), distance_upper_bound=reach)
    if width <= k:
        return np.asarray(found)
    # The tree may take any of those at the distance of the k-th: look at all of them, and sort by
    # index as well.
    limit = distance[:, k - 1]
    tied = np.flatnonzero((limit == distance[:, k]) & (limit < np.inf))
    order = np.lexsort((found[tied], distance[tied]))
    found[tied] = np.take_along_axis(found[tied], order, axis=1)
    wider = tied[distance[tied, -1] == limit[tied]] if width < tree.n else tied[:0]
    for rows in np.array_split(wider, 1 + len(wider) * width // _TIED_PAIRS):
        if len(rows):
            found[rows, :k] = _nearest(tree, points[rows], k, 2 * width, reach)
    return np.asarray(found[:, :k])


def _sorted(source: Tensor, target: Tensor) -> Tensor:
    pair = (target << 32) + source
    # On a CPU by numpy: 3 to 7 times faster than torch.
    pair = (
        torch.from_numpy(np.sort(pair.numpy())) if pair.device.type == "cpu" else pair.sort().values
    )
    return torch.stack([pair & 0xFFFFFFFF, pair >> 32])


def _check_sets(
    source: Tensor, target: Tensor, batch_source: Tensor | None, batch_target: Tensor | None
) -> None:
    check_points(source, batch_source, "source node")
    check_points(target, batch_target, "target node")
    if source.shape[1] != target.shape[1]:
        spaces = f"{source.shape[1]}-d and {target.shape[1]}-d"
        raise ValueError(f"Sources and targets are points of one space; got {spaces}.")


def _check_cutoff(cutoff: float, name: str) -> None:
    if not 0 < cutoff < float("inf"):
        raise ValueError(f"{name} needs a positive, finite cutoff; got {cutoff}.")


def _check_count(k: int, name: str) -> None:
    if k < 1:
        raise ValueError(f"{name} needs k of at least 1; got {k}.")
