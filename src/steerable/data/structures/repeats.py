"""Structures that are one structure, however it is turned, moved or numbered."""

from __future__ import annotations

from itertools import product

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ..splits import Split
from .structures import Structures

_MOST = 2000  # distances of a structure that are compared
_FEW = 8  # distances by which candidates are found


def duplicates(structures: Structures, tolerance: float = 1e-3) -> np.ndarray:
    """The first structure that is the same as each one (structure,): itself where there is none.

    Structures are the same if they have the same atoms, and the same sorted distances between
    atoms of each pair of elements and between corners of the cell. So mirror images are the same;
    a crystal and its supercell are not.

    Args:
        structures: the structures.
        tolerance: by which distances may differ, in Angstrom.
    """
    members: dict[bytes, list[int]] = {}
    for row, z in enumerate(structures.numbers()):
        key = np.sort(z).tobytes() + structures.pbc[row].tobytes()
        members.setdefault(key, []).append(row)
    first = np.arange(len(structures))
    for rows in members.values():
        # Distances to the nearest image take long; few structures need them.
        for candidates in _alike(structures, rows, tolerance, is_exact=False):
            for same in _alike(structures, candidates, tolerance, is_exact=True):
                first[same] = same[0]
    return first


def shared_duplicates(
    structures: Structures, split: Split, tolerance: float = 1e-3
) -> list[tuple[int, int]]:
    """Structures that are the same and are in different parts of a split.

    Args:
        structures: the structures.
        split: the split.
        tolerance: by which distances may differ, in Angstrom.

    Returns:
        For each structure of validation and test with a duplicate in an earlier part, the index of
        one there, and its own. Parts are ordered: training, validation, test.
    """
    first = duplicates(structures, tolerance)
    before: dict[int, int] = {}
    pairs = []
    for part in (split.train, split.validation, split.test):
        rows = part.tolist()
        pairs += [(before[first[row]], row) for row in rows if first[row] in before]
        for row in rows:
            before.setdefault(int(first[row]), row)
    return pairs


def _alike(
    structures: Structures, rows: list[int], tolerance: float, is_exact: bool
) -> list[list[int]]:
    """Sets of two of the rows or more, in their order, whose distances are the same."""
    if len(rows) < 2:
        return []
    values = np.stack([_distances(structures, row, is_exact) for row in rows])
    sets: dict[int, list[int]] = {}
    for label, row in zip(_labels(values, tolerance).tolist(), rows, strict=True):
        sets.setdefault(label, []).append(row)
    return [several for several in sets.values() if len(several) > 1]


def _distances(structures: Structures, row: int, is_exact: bool) -> np.ndarray:
    """Distances (distance,), sorted within each pair of elements, then those of the cell.

    In a cell, those that are not exact are exact up to half its least height, and cut off there.
    """
    atoms = slice(structures.ends[row], structures.ends[row + 1])
    z, pos, cell = structures.z[atoms], structures.pos[atoms], structures.cell[row]
    one, two = np.triu_indices(len(z), 1)
    length = np.linalg.norm(pos[one] - pos[two], axis=1)
    corners = np.zeros(0)
    if structures.pbc[row].any() and np.linalg.matrix_rank(cell) == 3:
        length = _nearest(pos[one] - pos[two], cell, structures.pbc[row], is_exact)
        corners = np.linalg.norm([*cell, *(cell + np.roll(cell, 1, axis=0))], axis=1)
    low, high = np.minimum(z[one], z[two]), np.maximum(z[one], z[two])
    length = length[np.lexsort((length, high, low))]
    if len(length) > _MOST:
        length = length[np.linspace(0, len(length) - 1, _MOST).astype(int)]
    return np.concatenate([corners, length]).astype(np.float32)


def _nearest(offset: np.ndarray, cell: np.ndarray, pbc: np.ndarray, is_exact: bool) -> np.ndarray:
    """The length (pair,) of each offset (pair, 3) to the nearest image."""
    inverse = np.linalg.inv(cell)
    places = offset @ inverse
    offset = (places - np.round(places) * pbc) @ cell
    if not is_exact:
        heights = 1 / np.linalg.norm(inverse, axis=0)
        return np.minimum(np.linalg.norm(offset, axis=1), heights[pbc].min() / 2)
    # Halves are rounded up or down by chance, and in oblique cells another image may be nearer.
    steps = [(-1, 0, 1) if repeats else (0,) for repeats in pbc]
    shifts = np.array(list(product(*steps))) @ cell
    return np.asarray(np.linalg.norm(offset[:, None] + shifts, axis=-1).min(1))


def _labels(values: np.ndarray, tolerance: float) -> np.ndarray:
    """Numbers (row,) that are the same for rows of `values` within the tolerance of each other."""
    # Rows that are equal to the last digits are merged first: a set of n copies has n^2 pairs.
    _, index, inverse = np.unique(
        np.round(values / tolerance), axis=0, return_index=True, return_inverse=True
    )
    unique = values[index]
    if not values.shape[1]:
        return np.zeros(len(values), dtype=int)
    few = np.linspace(0, values.shape[1] - 1, _FEW).astype(int)
    pairs = cKDTree(unique[:, few]).query_pairs(tolerance, p=np.inf, output_type="ndarray")
    difference = np.abs(unique[pairs[:, 0]] - unique[pairs[:, 1]])
    pairs = pairs[(difference <= tolerance).all(1)]
    edges = (np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1]))
    graph = coo_array(edges, shape=(len(unique), len(unique)))
    labels = connected_components(graph, directed=False)[1]
    return np.asarray(labels[inverse.reshape(-1)])
