"""What is wrong with data before anything is learned from them."""

from __future__ import annotations

import warnings

import numpy as np
from ase.data import chemical_symbols
from ase.units import Hartree

from steerable.data import Split
from steerable.data.structures import (
    Structures,
    Target,
    concatenate,
    shared_duplicates,
    target_values,
)

from ...config import ConfigError
from .reading import Parts

_NAMED = 5  # structures that a message names


class DataWarning(UserWarning):
    """Data that can be learned, but perhaps not as they are meant."""


def check_parts(parts: Parts, batch_size: int) -> None:
    """Refuse parts that do not fit each other, and warn of what looks wrong.

    Raises:
        ConfigError: other parts have elements that no training structure has, or there are fewer
            training structures than one batch has.
    """
    train = parts.train
    unseen = {
        int(z)
        for _, part in parts.items()
        for z in np.unique(part.z)
        if z not in np.unique(train.z)
    }
    if unseen:
        symbols = ", ".join(chemical_symbols[z] for z in sorted(unseen))
        name, part = next(
            (name, part) for name, part in parts.items() if np.isin(part.z, list(unseen)).any()
        )
        first = int(np.flatnonzero(np.isin(part.z, list(unseen)))[0])
        index = int(np.searchsorted(part.ends, first, side="right")) - 1
        raise ConfigError(
            f"No training structure has {symbols}, and the {name} structure {part.name(index)} "
            "has: add training structures that have it, leave that one out, or change data.seed."
        )
    if len(train) < batch_size:
        raise ConfigError(
            f"There are {len(train)} training structures and fit.batch_size is {batch_size}: set "
            f"--fit.batch_size to {max(1, len(train) // 4)} or so."
        )
    _warn_of_boundaries(parts)
    _warn_of_duplicates(parts)


def check_labels(train: Structures, target: Target) -> None:
    """Warn of training structures without a value of the target."""
    column = train.column(target.name)
    missing = np.flatnonzero(column.missing)
    if not len(missing):
        return
    first = int(missing[0])
    if column.per == "atom":
        first = int(np.searchsorted(train.ends, first, side="right")) - 1
    warnings.warn(
        f"{len(missing):,} of {len(column):,} {column.per}s for training have no {target.name!r}, "
        f"the first in {train.name(first)}: they are left out of its loss.",
        DataWarning,
        stacklevel=2,
    )


def check_energies(train: Structures, target: Target) -> None:
    """Warn of energies in eV that are larger than those of all electrons can be.

    The energy of an atom's electrons is about -0.7687 Z^(7/3) Hartree, more than the true one.

    Source: the Thomas-Fermi atom; Lieb & Simon 1977, Adv. Math. 23, 22.
    """
    if target.kind != "scalar" or target.per != "structure" or target.unit != "eV":
        return
    values = target_values(train, target)
    electrons = 0.7687 * Hartree * train.z.astype(np.float64) ** (7 / 3)
    most = np.add.reduceat(electrons, train.ends[:-1]) + 10.0 * train.sizes
    wrong = np.flatnonzero(np.abs(values) > 1.5 * most)
    if len(wrong):
        first = int(wrong[0])
        warnings.warn(
            f"{train.name(first)} has {target.name} = {values[first]:.6g} eV, and all electrons of "
            f"its {train.sizes[first]} atoms have about {-most[first]:.6g} eV ({len(wrong)} of "
            f"{len(train)} structures are like it). Is the unit another one? Set --data.unit.",
            DataWarning,
            stacklevel=2,
        )


def _warn_of_boundaries(parts: Parts) -> None:
    both = [(name, part.is_periodic) for name, part in parts.items()]
    if len({bool(flag) for _, flags in both for flag in np.unique(flags)}) > 1:
        counts = ", ".join(f"{int(flags.sum())} of {len(flags)} in {name}" for name, flags in both)
        warnings.warn(
            f"Some structures are periodic and some are not ({counts}): a molecule in a periodic "
            "box sees its images where they are within the cutoff.",
            DataWarning,
            stacklevel=3,
        )


def _warn_of_duplicates(parts: Parts) -> None:
    """Structures of validation and test that are training structures too, however turned."""
    sets = [part.with_columns({}) for _, part in parts.items()]
    rows = np.cumsum([0, *map(len, sets)])
    split = Split(*(np.arange(rows[k], rows[k + 1]) for k in range(3)))
    pairs = shared_duplicates(concatenate(sets), split)
    if pairs:
        names = [part.name(k) for part in sets for k in range(len(part))]
        first = ", ".join(f"{names[other]} = {names[one]}" for one, other in pairs[:_NAMED])
        warnings.warn(
            f"{len(pairs)} structures of validation and test stand in an earlier part too "
            f"({first}): errors will look smaller than they are. --data.split group keeps "
            "structures of one molecule together.",
            DataWarning,
            stacklevel=3,
        )
