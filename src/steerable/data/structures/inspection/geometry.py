"""What the distances between atoms say: atoms that are too close, fragments, and units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase.data import covalent_radii
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ..cells import is_searchable
from ..pairs import pairs_within
from ..structures import Structures

_BOND = 1.3  # the longest bond, in sums of covalent radii; that of H2 is 1.2 long
_FREE = 1.7  # an atom whose neighbours are all farther away stands alone
_NOBLE = (2, 10, 18, 36, 54, 86)
_SAMPLE = 100  # structures whose bonds say the unit of length

# The median of (distance to the nearest atom) / (sum of covalent radii), and what it means.
_LENGTHS = (
    (0.03, 0.2, "nm where Angstrom is meant: multiply positions and cells by 10"),
    (0.42, 0.68, "Angstrom that were converted from Bohr once too often: divide by 0.529177"),
    (1.65, 2.4, "Bohr where Angstrom is meant: multiply positions and cells by 0.529177"),
    (7.0, 14.0, "Angstrom that were converted from nm once too often: divide by 10"),
    (60.0, 140.0, "pm where Angstrom is meant: divide positions and cells by 100"),
)


@dataclass(frozen=True, eq=False)
class Geometry:
    """Distances in structures.

    Args:
        nearest: the smallest distance in each structure (structure,) in Angstrom, periodic images
            included; infinite where all atoms are far apart, NaN where it cannot be searched.
        fragments: how many sets of bonded atoms each structure (structure,) consists of.
        lone: how many of its atoms (structure,) have no neighbour within 1.7 sums of covalent
            radii; a single atom may, and so may noble gases.
    """

    nearest: np.ndarray
    fragments: np.ndarray
    lone: np.ndarray


def geometry(structures: Structures) -> Geometry:
    """The distances of each structure; atoms are bonded within 1.3 sums of covalent radii."""
    count = len(structures)
    nearest = np.full(count, np.nan)
    fragments, lone = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    rows = np.flatnonzero(is_searchable(structures))
    part = structures.select(rows)
    owner = np.repeat(np.arange(len(part)), part.sizes)
    structure, source, target, distance, _ = pairs_within(part, _FREE * _longest(part))
    smallest = np.full(len(part), np.inf)
    np.minimum.at(smallest, structure, distance)
    nearest[rows] = smallest
    ratio = distance / _sums_of_radii(part, source, target)
    bonds = ratio < _BOND
    links = coo_matrix(
        (np.ones(bonds.sum()), (source[bonds], target[bonds])), (len(part.z), len(part.z))
    )
    molecule = connected_components(links, directed=False)[1]
    # Each component lies in one structure, so its first atom says in which.
    first = np.unique(molecule, return_index=True)[1]
    fragments[rows] = np.bincount(owner[first], minlength=len(part))
    free = np.bincount(target[ratio < _FREE], minlength=len(part.z)) == 0
    free &= ~np.isin(part.z, _NOBLE) & (part.sizes[owner] > 1)
    lone[rows] = np.bincount(owner, free, len(part))
    return Geometry(nearest, fragments, lone)


def unit_of_length(structures: Structures) -> str:
    """What is wrong with the unit of length, in words; empty if nothing is.

    The distance from each atom to the nearest one, in sums of covalent radii, is 0.8 to 1.5 in the
    median over all kinds of matter but noble gases.
    """
    rows = np.linspace(0, len(structures) - 1, min(_SAMPLE, len(structures))).round().astype(int)
    low_ratio, ratio = _typical_ratios(structures.select(rows))
    for low, high, words in _LENGTHS:
        if 0.8 * low <= low_ratio and low <= ratio <= high:
            return f"nearest atoms are {ratio:.2g} sums of covalent radii apart, as for {words}."
    return ""


def _typical_ratios(structures: Structures) -> tuple[float, float]:
    """The tenth percentile and the median of what `unit_of_length` says; NaN if there is none.

    Bonds differ little. The percentile is low where fragments are moved apart, as in dimers.
    """
    longest = _longest(structures)
    # Few structures are wide, and the search goes on only where it has not met the nearest atoms.
    for reach in (0.2, _BOND, 2.6, 15.0, 150.0):
        part = structures.select(_is_small(structures, reach * longest))
        atoms = ~np.isin(part.z, _NOBLE)
        pairs = pairs_within(part, reach * longest)
        nearest = np.full(len(part.z), np.inf)
        ratio = pairs.distance / _sums_of_radii(part, pairs.source, pairs.target)
        np.minimum.at(nearest, pairs.target, ratio)
        if len(nearest[atoms]) and np.isfinite(np.median(nearest[atoms])):
            low, middle = np.quantile(nearest[atoms], (0.1, 0.5), method="lower")
            return float(low), float(middle)
    return np.nan, np.nan


def _is_small(structures: Structures, reach: float) -> np.ndarray:
    """Whether an atom can have at most some thousand images within reach (structure,)."""
    lengths = np.where(structures.pbc, np.linalg.norm(structures.cell, axis=2), np.inf)
    images = np.prod(1 + 2 * reach / np.maximum(lengths, 1e-3), axis=1) * structures.sizes
    finite = np.isfinite(structures.cell).all((1, 2))
    owner = np.repeat(np.arange(len(structures)), structures.sizes)
    broken = np.bincount(owner, ~np.isfinite(structures.pos).all(1), len(structures))
    return np.asarray(finite & (broken == 0) & (images < 1e4) & (structures.sizes > 0))


def _longest(structures: Structures) -> float:
    """Twice the largest covalent radius, in Angstrom."""
    return 2 * float(covalent_radii[structures.z].max(initial=0.5))


def _sums_of_radii(structures: Structures, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    radii = covalent_radii[structures.z]
    return np.asarray(radii[source] + radii[target])
