"""Neighbour lists with open boundaries: all pairs within a radius, or the k nearest."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

_DENSE_PAIRS = 4_000_000


def radius_graph(pos: Tensor, cutoff: float, batch: Tensor | None = None) -> Tensor:
    """All ordered pairs of different points of one graph that are closer than `cutoff`.

    Small graphs are searched as dense matrices in torch, large ones by scipy's k-d tree. No cap on the number of
    neighbours; the order is by target, then source.

    Args:
        pos: points (node, d).
        cutoff: radius, in the unit of `pos`.
        batch: graph of every point (node,), in any order; one graph if absent.

    Returns:
        edge_index (2, edge): row 0 the source j, row 1 the target i.

    Raises:
        ValueError: positions that are not finite, or a cutoff that is not positive.
    """
    _check(pos, batch)
    if not 0 < cutoff < float("inf"):
        raise ValueError(f"radius_graph needs a positive, finite cutoff; got {cutoff}.")
    with torch.no_grad():
        dense = _dense(pos, batch)
        if dense is None:
            return _by_graph(pos, batch, lambda points: _tree_radius(points, cutoff))
        places, distance = dense
        graph, i, j = torch.nonzero(distance < cutoff, as_tuple=True)
        return _sorted(places[graph, j], places[graph, i])


def knn_graph(pos: Tensor, k: int, batch: Tensor | None = None) -> Tensor:
    """The k nearest other points of the same graph, as sources of every point; all of them where there are fewer.

    Args:
        pos: points (node, d).
        k: how many.
        batch: graph of every point (node,), in any order; one graph if absent.

    Returns:
        edge_index (2, edge): row 0 the neighbour, row 1 the point.

    Raises:
        ValueError: positions that are not finite, or k below 1.
    """
    _check(pos, batch)
    if k < 1:
        raise ValueError(f"knn_graph needs k of at least 1; got {k}.")
    with torch.no_grad():
        dense = _dense(pos, batch)
        if dense is None:
            return _by_graph(pos, batch, lambda points: _tree_nearest(points, k))
        places, distance = dense
        nearest = distance.topk(min(k, distance.shape[-1]), largest=False)
        graph, i, column = torch.nonzero(nearest.values < float("inf"), as_tuple=True)
        return _sorted(places[graph, nearest.indices[graph, i, column]], places[graph, i])


def check_finite(pos: Tensor) -> None:
    """Raise ValueError, naming nodes, unless all positions (node, d) are finite."""
    finite = torch.isfinite(pos)
    if not finite.all():
        bad = torch.nonzero(~finite.all(-1)).flatten()[:5].tolist()
        raise ValueError(f"Positions must be finite; those of nodes {bad} are NaN or infinite.")


def _check(pos: Tensor, batch: Tensor | None) -> None:
    if pos.dim() != 2 or not pos.is_floating_point():
        raise ValueError(f"Positions are floating-point numbers (node, d); got {pos.dtype} {tuple(pos.shape)}.")
    check_finite(pos)
    if batch is not None and batch.shape != pos.shape[:1]:
        raise ValueError(f"batch names the graph of every node: {len(pos)} numbers; got shape {tuple(batch.shape)}.")


def _dense(pos: Tensor, batch: Tensor | None) -> tuple[Tensor, Tensor] | None:
    """Nodes (graph, slot) and distances (graph, slot, slot), infinite where no pair is; None if that is too large."""
    batch = pos.new_zeros(len(pos), dtype=torch.long) if batch is None else batch
    order = torch.argsort(batch, stable=True)
    _, counts = torch.unique_consecutive(batch[order], return_counts=True)
    widest = int(counts.max()) if len(counts) else 0
    if len(counts) * widest**2 > _DENSE_PAIRS:
        return None
    slot = torch.arange(widest, device=pos.device)
    real = slot < counts[:, None]
    places = torch.zeros(len(counts), widest, dtype=torch.long, device=pos.device)
    places[real] = order
    points = pos.detach()[places]
    distance = torch.linalg.vector_norm(points[:, :, None] - points[:, None], dim=-1)
    pair = real[:, :, None] & real[:, None] & (slot[:, None] != slot)
    return places, torch.where(pair, distance, float("inf"))


def _sorted(source: Tensor, target: Tensor) -> Tensor:
    order = torch.argsort(source, stable=True)
    order = order[torch.argsort(target[order], stable=True)]
    return torch.stack([source[order], target[order]])


def _by_graph(pos: Tensor, batch: Tensor | None, search: object) -> Tensor:
    graph = torch.zeros(len(pos)) if batch is None else batch.cpu()
    order = torch.argsort(graph, stable=True)
    _, counts = torch.unique_consecutive(graph[order], return_counts=True)
    graphs = order.split(counts.tolist())
    points = pos.detach().cpu().numpy()
    found = [nodes[torch.from_numpy(search(points[nodes.numpy()]))] for nodes in graphs]  # type: ignore[operator]
    edges = torch.cat(found, dim=1) if found else torch.zeros(2, 0, dtype=torch.long)
    return _sorted(edges[0], edges[1]).to(pos.device)


def _tree_radius(points: np.ndarray, cutoff: float) -> np.ndarray:
    from scipy.spatial import cKDTree

    pairs = cKDTree(points).query_pairs(np.nextafter(cutoff, 0), output_type="ndarray").astype(np.int64)
    return np.concatenate([pairs, pairs[:, ::-1]]).T.copy()


def _tree_nearest(points: np.ndarray, k: int) -> np.ndarray:
    from scipy.spatial import cKDTree

    k = min(k, len(points) - 1)
    _, found = cKDTree(points).query(points, k=range(1, k + 2))
    target = np.repeat(np.arange(len(points)), k + 1)
    source = found.reshape(-1).astype(np.int64)
    own = source == target
    # Among coincident points the tree may not return the point itself: drop the last neighbour there instead.
    without_own = np.flatnonzero(~own.reshape(-1, k + 1).any(1))
    own[without_own * (k + 1) + k] = True
    return np.stack([source[~own], target[~own]])
