"""Traces of structures: numbers that no rotation, reflection, shift or order of the atoms changes.

Structures with one trace are one and the same. A trace is small, so that copies are recognised
among structures that are read part by part and are not in memory together.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from .cells import is_searchable
from .domain import multiplicity, total_charge
from .pairs import Pairs, pairs_within
from .structures import Structures

# Traces of structures that are one differ by what positions were rounded by, in Angstrom.
TOLERANCE = 3e-4
_REACH = 4.0  # Angstrom, how far the trace of a periodic structure looks
_TRACE = 8  # numbers in a trace


def keys(structures: Structures) -> np.ndarray:
    """A text of 16 bytes (structure,) for the exact atoms, positions and cell of each structure."""
    ends = structures.ends
    texts = []
    for k in range(len(structures)):
        atoms = slice(ends[k], ends[k + 1])
        text = blake2b(digest_size=16)
        for values in (structures.z[atoms], structures.pos[atoms], structures.cell[k]):
            text.update(np.ascontiguousarray(values).tobytes())
        text.update(np.ascontiguousarray(structures.pbc[k]).tobytes())
        texts.append(text.hexdigest())
    return np.array(texts, dtype="U32")


def formulas(structures: Structures) -> np.ndarray:
    """A text of 16 bytes (structure,) for the elements of each structure and how many of each."""
    texts = []
    for numbers in structures.numbers():
        text = blake2b(np.sort(numbers).astype(np.int64).tobytes(), digest_size=16)
        texts.append(text.hexdigest())
    return np.array(texts, dtype="U32")


def kinds(structures: Structures) -> np.ndarray:
    """A text (structure,) for formula, periodic directions, charge and spin of each structure."""
    charge, spin = total_charge(structures), multiplicity(structures)
    rows = zip(formulas(structures), structures.pbc.sum(1), charge, spin, strict=True)
    return np.array([f"{text} {count} {q:g} {s:g}" for text, count, q, s in rows], dtype=str)


def traces(structures: Structures) -> np.ndarray:
    """Lengths (structure, 8) in Angstrom that no rotation, shift or order of the atoms changes.

    Of a molecule they are the extents along its main axes, once with equal weights of all atoms and
    once weighted by their elements, and two fourth moments. Of a periodic structure they are sums
    over the pairs of neighbours, and the size of the cell. They are smooth in the positions, and
    those of different structures of one formula differ unless somebody makes an effort. Where
    positions are not finite, or atoms far too close, the trace is NaN.
    """
    values = np.full((len(structures), _TRACE), np.nan)
    rows = np.flatnonzero(is_searchable(structures))
    periodic = structures.is_periodic[rows]
    values[rows[~periodic]] = _extents(structures.select(rows[~periodic]))
    values[rows[periodic]] = _pair_sums(structures.select(rows[periodic]))
    return values


def same(kind: np.ndarray, trace: np.ndarray, tolerance: float = TOLERANCE) -> np.ndarray:
    """Groups of structures of one kind (structure,) and one trace (structure, 8).

    Two structures are one where a rotation, a reflection, a shift and a permutation of the atoms
    lead from one to the other, to within about the tolerance in Angstrom.

    Returns:
        For each structure (structure,) the index of the first one of its group.
    """
    count = len(kind)
    first = np.arange(count)
    rows = np.flatnonzero(np.isfinite(trace).all(1))
    if not len(rows):
        return first
    number = np.unique(kind[rows], return_inverse=True)[1]
    # Copies would make the pairs of the tree as many as their square: they become one point first.
    cells = np.rint(np.column_stack([number, trace[rows] / (tolerance / 16)])).astype(np.int64)
    points, label = np.unique(cells, axis=0, return_inverse=True)
    points = points.astype(np.float64)
    points[:, 0] *= 32  # kinds are farther apart than the tolerance of 16
    pairs = cKDTree(points).query_pairs(16.0, p=np.inf, output_type="ndarray")
    links = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), (len(points),) * 2)
    group = connected_components(links, directed=False)[1][label.reshape(-1)]
    lowest = np.full(group.max() + 1, count)
    np.minimum.at(lowest, group, rows)
    first[rows] = lowest[group]
    return first


def _extents(structures: Structures) -> np.ndarray:
    """Moments of molecules (structure, 8), in Angstrom.

    A displacement by d changes them by d or less, however many atoms there are.
    """
    count = len(structures)
    owner = np.repeat(np.arange(count), structures.sizes)

    def total(values: np.ndarray) -> np.ndarray:
        """The sum over the atoms of each structure."""
        return np.bincount(owner, values, count).astype(np.float64)  # integers where none are

    mean = total(structures.z) / np.maximum(structures.sizes, 1)
    lengths = []
    for weight in (np.ones(len(owner)), np.sqrt(structures.z / np.maximum(mean, 1)[owner])):
        centre = np.stack([total(weight * x) for x in structures.pos.T], 1)
        centre /= np.maximum(total(weight), 1e-300)[:, None]
        step = structures.pos - centre[owner]
        moment = np.empty((count, 3, 3))
        for i, j in np.ndindex(3, 3):
            moment[:, i, j] = total(weight * step[:, i] * step[:, j])
        fourth = total(weight * (step**2).sum(1) ** 2) ** 0.25
        lengths.append(np.column_stack([np.sqrt(np.linalg.eigvalsh(moment).clip(0)), fourth]))
    return np.concatenate(lengths, 1)


def _pair_sums(structures: Structures) -> np.ndarray:
    """Sums over the neighbours in periodic structures (structure, 8), in Angstrom."""
    count = len(structures)
    pairs = pairs_within(structures, _REACH)
    cutoff = (1 - (pairs.distance / _REACH) ** 2) ** 2  # smooth where neighbours come and go
    weight = np.sqrt(structures.z[pairs.source] * structures.z[pairs.target]) / 8
    waves = np.stack([np.cos(np.pi * k * pairs.distance / _REACH) for k in range(3)])
    terms = [*(cutoff * waves), cutoff * weight, cutoff * weight * waves[1]]
    sums = [np.bincount(pairs.structure, term, count) for term in terms]
    # Where all sites are symmetric the sums do not change with small displacements, but these do.
    norms = [_norms(structures, pairs, 2 * cutoff * factor) for factor in (1, waves[1])]
    # The rounding of positions adds up as the root of the number of atoms.
    values = np.stack(sums + norms, 1) / np.sqrt(np.maximum(structures.sizes, 1))[:, None]
    return np.column_stack([values, np.cbrt(np.abs(np.linalg.det(structures.cell)))])


def _norms(structures: Structures, pairs: Pairs, factor: np.ndarray) -> np.ndarray:
    """The norm (structure,) over its atoms of sums of the steps to neighbours."""
    atoms = len(structures.z)
    sums = [np.bincount(pairs.target, factor * step, atoms) for step in pairs.step.T]
    owner = np.repeat(np.arange(len(structures)), structures.sizes)
    return np.sqrt(np.bincount(owner, np.square(sums).sum(0), len(structures)))
