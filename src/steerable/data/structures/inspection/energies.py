"""What the energies of structures say: outliers, and units that are not those of the file."""

from __future__ import annotations

import numpy as np

from ..columns import Column
from ..structures import Structures

# One unit of energy in eV.
ENERGIES = {
    "eV": 1.0,
    "meV": 1e-3,
    "Hartree": 27.211386,
    "Ha": 27.211386,
    "Ry": 13.605693,
    "kcal/mol": 0.04336410,
    "kJ/mol": 0.01036427,
}
LENGTHS = {"Angstrom": 1.0, "Ang": 1.0, "A": 1.0, "Å": 1.0, "Bohr": 0.529177, "nm": 10.0}

_FAR = 12.0  # robust standard deviations that make an outlier
_FEW = 0.1  # where more than this share of the structures is far, energies are just spread so
_ROUNDS = 20


def is_energy(name: str, column: Column) -> bool:
    """Whether a column holds the total energy of each structure."""
    number = column.per == "structure" and column.shape in ((), (1,))
    words = name.lower()
    return (
        number
        and column.data.dtype.kind == "f"
        and ("energy" in words or words in ("u0", "u", "e", "e_tot", "etot"))
        and not any(part in words for part in ("per_atom", "hull", "gap"))
    )


def outliers(counts: np.ndarray, energies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Energies that are far from what the elements of the structure make likely.

    References of the elements are fitted by least absolute deviations, which single outliers do not
    move. An outlier is more than 12 robust standard deviations (of the median absolute deviation)
    from the median of what is left per atom.

    Args:
        counts: atoms of each element (structure, element).
        energies: (structure,), NaN where there is none.

    Returns:
        The indices of outliers, the farthest first, and how many deviations they are off.
    """
    rows = np.flatnonzero(np.isfinite(energies) & (counts.sum(1) > 0))
    none = np.zeros(0, dtype=np.int64), np.zeros(0)
    if len(rows) < 10 + 2 * counts.shape[1]:
        return none
    size = counts[rows].sum(1)
    shares, values = counts[rows] / size[:, None], energies[rows] / size
    rest = values - shares @ _least_absolute(shares, values)
    rest -= np.median(rest)
    deviation = 1.4826 * np.median(np.abs(rest))
    # Energies that are all one, up to rounding, have outliers beyond rounding alone.
    floor = 1e-6 * np.median(np.abs(values)) + 1e-12
    distance = np.abs(rest) / max(deviation, floor)
    far = np.flatnonzero(distance > _FAR)
    if len(far) > _FEW * len(rows):
        return none
    far = far[np.argsort(-distance[far])]
    return rows[far], distance[far]


def unit_of_energy(counts: np.ndarray, z: np.ndarray, energies: np.ndarray, unit: str) -> str:
    """What is wrong with the unit of total energies, in words; empty if nothing is.

    The energy of all electrons of an atom is, in Hartree, -0.7687 Z^(7/3) + 0.5 Z^2 - 0.2699
    Z^(5/3), to within 8 %; that of valence electrons alone is smaller, and says nothing.

    Source: J. Schwinger, Physical Review A 24 (1981) 2353.

    Args:
        counts: atoms of each element (structure, element).
        z: atomic numbers (element,).
        energies: (structure,), NaN where there is none.
        unit: that the energies are said to have; eV if it is empty.
    """
    number = z.astype(np.float64)
    atom = -0.7687 * number ** (7 / 3) + 0.5 * number**2 - 0.2699 * number ** (5 / 3)
    total = counts @ atom * ENERGIES["Hartree"]
    rows = np.isfinite(energies) & (total < 0)
    if not rows.any() or unit not in ("", *ENERGIES):
        return ""
    ratio = energies[rows] / total[rows]
    middle = float(np.median(ratio))
    # Where all electrons are counted, the ratio is that of the units for every composition.
    alike = float(np.mean(np.abs(ratio / middle - 1) < 0.08)) if middle else 0.0
    here = ENERGIES[unit or "eV"]
    for name in ("eV", "Hartree", "Ry", "kcal/mol", "kJ/mol", "meV"):
        if alike > 0.9 and abs(middle * ENERGIES[name] - 1) < 0.08:
            same = abs(here / ENERGIES[name] - 1) < 1e-3
            return "" if same else _told(unit, f"energies of all electrons in {name}")
    if middle * here > 1.3:
        return _told(unit, "more than the energy of all electrons: is the unit smaller?")
    return ""


def unit_of_forces(change: np.ndarray, work: np.ndarray, energy: str, force: str) -> str:
    """What is wrong with the forces or their unit, in words; empty if nothing is.

    From one frame of a trajectory to the next the energy changes by -(F_1 + F_2)/2 * (r_2 - r_1).

    Args:
        change: of the energy between pairs of frames (pair,), NaN for pairs to leave out.
        work: what the formula gives (pair,).
        energy: the unit of energies; eV if it is empty.
        force: the unit of forces; eV/Angstrom if it is empty.
    """
    rows = np.isfinite(change) & np.isfinite(work)
    change, work = change[rows], work[rows]
    if not agree(change, work):
        return ""
    plain = float(change @ work / (work @ work))
    slope = plain * _energy(energy) / _force(force)
    if 0.8 < slope < 1.25:
        return ""
    if -1.25 < slope < -0.8:
        return "the energy grows along the forces: they are gradients, with the wrong sign."
    guess = _explanation(abs(plain))
    sign = ", and their sign is wrong" if slope < 0 else ""
    return f"energies change {slope:.3g} times as the forces say{guess}{sign}."


def agree(change: np.ndarray, work: np.ndarray) -> bool:
    """Whether energies change (pair,) as forces say (pair,), up to one factor."""
    if len(work) < 10 or not change.any() or not work.any():
        return False
    cosine = change @ work / np.sqrt((change @ change) * (work @ work))
    return bool(abs(cosine) > 0.97)


def steps(structures: Structures) -> tuple[np.ndarray, np.ndarray]:
    """Changes of the energy from one structure to the next, and the work of forces (pair,).

    Both are NaN where the atoms differ, a label is missing, or an atom moves by 0.5 Angstrom.
    """
    energies, forces = structures.column("energy"), structures.column("forces")
    change, work = np.full((2, max(len(structures) - 1, 0)), np.nan)
    if forces.shape != (3,) or forces.per != "atom" or not is_energy("energy", energies):
        return change, work
    ends = structures.ends
    for k in range(len(change)):
        here, there = slice(ends[k], ends[k + 1]), slice(ends[k + 1], ends[k + 2])
        if not np.array_equal(structures.z[here], structures.z[there]):
            continue
        move = structures.pos[there] - structures.pos[here]
        mean = (forces.data[here] + forces.data[there]) / 2
        if np.abs(move).max(initial=0) < 0.5:
            change[k] = (energies.data[k + 1] - energies.data[k]).item()
            work[k] = -(mean * move).sum()
    return change, work


def _least_absolute(features: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Coefficients that minimise the sum of absolute deviations, by reweighted least squares."""
    weights = np.ones(len(values))
    fit = np.zeros(features.shape[1])
    for _ in range(_ROUNDS):
        root = np.sqrt(weights)
        fit = np.linalg.lstsq(features * root[:, None], values * root, rcond=None)[0]
        gap = np.abs(values - features @ fit)
        weights = 1 / np.maximum(gap, 1e-9 + 1e-3 * np.median(gap))
    return fit


def _explanation(slope: float) -> str:
    """The pair of units that makes energies change so many times as forces say, in words."""
    for energy in ("eV", "Hartree", "kcal/mol", "kJ/mol", "Ry"):
        for force in ("eV/Angstrom", "Hartree/Bohr", "kcal/mol/Angstrom", "Hartree/Angstrom"):
            if abs(slope * _energy(energy) / _force(force) - 1) < 0.06:
                return f", as for energies in {energy} and forces in {force}"
    return ""


def _energy(unit: str) -> float:
    return ENERGIES.get(unit or "eV", 1.0)


def _force(unit: str) -> float:
    energy, _, length = (unit or "eV/Angstrom").rpartition("/")
    return _energy(energy) / LENGTHS.get(length, 1.0)


def _told(unit: str, guess: str) -> str:
    said = f"the column says {unit}" if unit else "no unit is said, and eV is taken"
    return f"they look like {guess}; {said}."
