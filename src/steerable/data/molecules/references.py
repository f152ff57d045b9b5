"""Reference energies of atoms and standardisation of targets, fitted on training data."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["Statistics", "composition", "fit_references", "fit_statistics"]


@dataclass(frozen=True)
class Statistics:
    """Standardisation of a target: y = sum over atoms of reference[z] + shift + scale * output.

    The output is that of the network.

    Attributes:
        elements: the atomic numbers in the training data, ascending.
        reference: the reference of each element, in the unit of the target; 0 for intensive
            targets.
        shift: a constant in the unit of the target; 0 for extensive targets.
        scale: the standard deviation of the remainder, in the unit of the target; positive.
    """

    elements: tuple[int, ...]
    reference: tuple[float, ...]
    shift: float
    scale: float


def composition(molecules: Iterable[Any], elements: Sequence[int]) -> np.ndarray:
    """Count the atoms of each element in each molecule.

    Args:
        molecules: the atomic numbers (atom,) of each molecule, or objects with an attribute `z`
            such as PyG's `Data`.
        elements: the atomic numbers to count.

    Returns:
        Counts (molecule, element), float64.

    Raises:
        ValueError: a molecule has an element that is not among `elements`.
    """
    numbers = [np.asarray(getattr(molecule, "z", molecule)) for molecule in molecules]
    columns = np.asarray(elements)
    counts = np.array([(z[:, None] == columns).sum(axis=0) for z in numbers], dtype=np.float64)
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
    """Fit the reference of each element by least squares, e = argmin |counts e - energies|^2.

    If the counts do not determine it, the solution of least norm is returned.

    Args:
        counts: (molecule, element).
        energies: (molecule,), any unit.

    Returns:
        References (element,), float64, in the unit of `energies`.

    Raises:
        ValueError: the shapes do not fit, there is no molecule, or a number is not finite.
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
        molecules: the molecules of the training split only, as in `composition`.
        y: the target (molecule,); float64 for total energies.
        extensive: whether the target is a sum over atoms; references then replace the shift.

    Raises:
        ValueError: as in `fit_references`.
    """
    numbers = [np.asarray(getattr(molecule, "z", molecule)) for molecule in molecules]
    elements = tuple(sorted({int(z) for molecule in numbers for z in np.unique(molecule)}))
    counts = composition(numbers, elements)
    values = np.asarray(y, dtype=np.float64)
    references = fit_references(counts, values)
    reference = references if extensive else np.zeros_like(references)
    shift = 0.0 if extensive else float(values.mean())
    spread = float((values - counts @ reference - shift).std())
    # If the composition explains the target up to rounding, there is nothing to scale by.
    scale = spread if spread > 1e-9 * float(np.abs(values).max()) else 1.0
    return Statistics(elements, tuple(reference.tolist()), shift, scale)
