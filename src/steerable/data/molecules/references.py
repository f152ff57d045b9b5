"""What a target owes to the composition alone.

Reference energies of atoms and standardisation, from training data.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["Statistics", "composition", "fit_references", "fit_statistics"]


@dataclass(frozen=True)
class Statistics:
    """Standardisation of a target: y = sum over atoms of reference[z] + shift + scale * output.

    The output is what the network gives.

    Attributes:
        elements: atomic numbers seen in training, ascending.
        reference: of each element, in the unit of the target; zeros where the target is intensive.
        shift: in the unit of the target; zero where it is extensive.
        scale: standard deviation of what is left, in the unit of the target; positive.
    """

    elements: tuple[int, ...]
    reference: tuple[float, ...]
    shift: float
    scale: float


def composition(molecules: Iterable[Any], elements: Sequence[int]) -> np.ndarray:
    """Count the atoms of each element in each molecule.

    Args:
        molecules: atomic numbers (atom,) of each, or objects that have them as `z`, as PyG's
            `Data`.
        elements: atomic numbers to count.

    Returns:
        Counts (molecule, element), float64.

    Raises:
        ValueError: a molecule has an element that is not among `elements`.
    """
    numbers = [np.asarray(getattr(molecule, "z", molecule)) for molecule in molecules]
    wanted = np.asarray(elements)
    counts = np.array([(z[:, None] == wanted).sum(axis=0) for z in numbers], dtype=np.float64)
    counts = counts.reshape(len(numbers), len(elements))
    short = np.flatnonzero(counts.sum(axis=1) != [len(z) for z in numbers])
    if len(short):
        unknown = sorted(set(numbers[short[0]].tolist()) - set(elements))
        raise ValueError(
            f"molecule {short[0]} has atoms of the atomic numbers {unknown}, which are not among "
            f"the elements {list(elements)}: fit references on molecules that have them."
        )
    return counts


def fit_references(counts: ArrayLike, energies: ArrayLike) -> np.ndarray:
    """The reference of each element, e = argmin |counts e - energies|^2.

    It is the one of least norm where the counts leave it open.

    Args:
        counts: (molecule, element).
        energies: (molecule,), any unit.

    Returns:
        References (element,), float64, in the unit of `energies`.

    Raises:
        ValueError: shapes that do not fit, no molecule, or a number that is not finite.
    """
    counts, energies = np.asarray(counts, dtype=np.float64), np.asarray(energies, dtype=np.float64)
    if counts.ndim != 2 or energies.shape != counts.shape[:1] or not len(energies):
        raise ValueError(
            "references need counts (molecule, element) and energies (molecule,) of at least one "
            f"molecule, and got {counts.shape} and {energies.shape}."
        )
    if not (np.isfinite(counts).all() and np.isfinite(energies).all()):
        raise ValueError("references need finite counts and energies: some are NaN or infinite.")
    return np.linalg.lstsq(counts, energies, rcond=None)[0]


def fit_statistics(molecules: Iterable[Any], y: ArrayLike, extensive: bool) -> Statistics:
    """Fit the standardisation of one target on training molecules.

    Args:
        molecules: of the training split only; as in `composition`.
        y: the target (molecule,), float64 where it is a total energy.
        extensive: whether the target is a sum over atoms; then references take the place of the
            shift.

    Raises:
        ValueError: as `fit_references`.
    """
    numbers = [np.asarray(getattr(molecule, "z", molecule)) for molecule in molecules]
    elements = tuple(sorted({int(z) for molecule in numbers for z in np.unique(molecule)}))
    counts = composition(numbers, elements)
    values = np.asarray(y, dtype=np.float64)
    fitted = fit_references(counts, values)
    reference = fitted if extensive else np.zeros_like(fitted)
    shift = 0.0 if extensive else float(values.mean())
    spread = float((values - counts @ reference - shift).std())
    # What composition explains to rounding leaves nothing to scale by.
    scale = spread if spread > 1e-9 * float(np.abs(values).max()) else 1.0
    return Statistics(elements, tuple(reference.tolist()), shift, scale)
