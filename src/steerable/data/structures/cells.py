"""Sizes of the cells of periodic structures."""

from __future__ import annotations

import numpy as np
from ase.data import atomic_masses

from .structures import Structures

_GRAMS = 1.66053907  # g/cm3 for one atomic mass unit in a cubic Angstrom
_LEAST_VOLUME = 1.5  # cubic Angstrom an atom: hydrogen under pressures of planets has 2
_LEAST_LENGTH = 1.0  # Angstrom


def volumes(structures: Structures) -> np.ndarray:
    """Volume of each cell (structure,) in cubic Angstrom; NaN unless it repeats in space."""
    volume = np.full(len(structures), np.nan)
    rows = structures.pbc.all(1) & np.isfinite(structures.cell).all((1, 2))
    volume[rows] = np.abs(np.linalg.det(structures.cell[rows]))
    return volume


def densities(structures: Structures) -> np.ndarray:
    """Density of each cell (structure,) in g/cm3; NaN unless it repeats in space."""
    count = len(structures)
    owner = np.repeat(np.arange(count), structures.sizes)
    mass = np.bincount(owner, atomic_masses[structures.z], count)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(_GRAMS * mass / volumes(structures))


def is_searchable(structures: Structures) -> np.ndarray:
    """Whether the neighbours of each structure (structure,) can be looked for.

    Its positions and its cell are finite, and no cell is so small that there would be thousands of
    neighbours.
    """
    count = len(structures)
    owner = np.repeat(np.arange(count), structures.sizes)
    broken = np.bincount(owner, ~np.isfinite(structures.pos).all(1), count)
    fine = (broken == 0) & np.isfinite(structures.cell).all((1, 2))
    lengths = np.linalg.norm(structures.cell, axis=2)
    short = (structures.pbc & ~(lengths >= _LEAST_LENGTH)).any(1)
    tight = volumes(structures) < _LEAST_VOLUME * structures.sizes
    return np.asarray(fine & ~short & ~tight)
