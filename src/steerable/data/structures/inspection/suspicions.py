"""What may be wrong with structures, from what is kept of each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..traces import same
from .energies import outliers, unit_of_energy, unit_of_forces
from .facts import ColumnTally
from .records import Records
from .report import MOST_FRAMES, Suspicion

_CLOSE = 0.5  # Angstrom
_FEW = 0.2  # what more than this share of the structures do is usual
_REPEATS = 5  # structures of one formula that say how many fragments are usual


@dataclass(frozen=True, eq=False)
class Copies:
    """The first structure that is the same as each (structure,): exactly, or up to a motion."""

    exact: np.ndarray
    alike: np.ndarray


def copies(records: Records) -> Copies:
    """Which structures repeat an earlier one."""
    kinds = np.concatenate(records.kinds)
    texts = np.char.add(kinds, np.concatenate(records.keys))
    exact = _firsts(texts)
    similar = same(kinds, np.concatenate(records.traces))
    # Structures without a trace may still be exact copies, and copies of copies have one first.
    return Copies(exact, np.minimum(similar, similar[exact]))


def of_geometry(records: Records, length: str) -> Iterator[Suspicion]:
    """Positions and cells that cannot be, atoms that are too close, and fragments."""
    nearest = np.concatenate([part.nearest for part in records.geometries])
    yield from _named(
        records,
        np.isnan(nearest),
        "positions or cells",
        "they are not finite, or the cell is zero or has less than 1.5 cubic Angstrom an atom; "
        "remove or mend them.",
    )
    if length:
        rows = np.ones(len(nearest), dtype=bool)
        yield from _named(records, rows, "unit of length", length)
        return  # every distance is wrong
    yield from _named(
        records,
        nearest < _CLOSE,
        "close atoms",
        f"atoms are closer than {_CLOSE} Angstrom, periodic images included; remove the frames, or "
        "check cell and unit.",
    )
    lone = np.concatenate([part.lone for part in records.geometries]) > 0
    if lone.mean() <= _FEW:
        meaning = "an atom has no neighbour within 1.7 sums of covalent radii; is it whole?"
        yield from _named(records, lone, "lone atoms", meaning)
    broken = _broken(records) & ~lone
    meaning = "they are more fragments than usual; molecules may be broken, wrapped, or salts."
    yield from _named(records, broken, "fragments", meaning)


def of_labels(records: Records, tallies: dict[str, ColumnTally]) -> Iterator[Suspicion]:
    """Labels that are missing on some structures, or are NaN or infinite."""
    for name, tally in tallies.items():
        if not tally.is_numeric:
            continue
        broken = np.concatenate(tally.broken)
        meaning = f"{name!r} is NaN or infinite."
        yield from _named(records, broken, "not a number", meaning)
        lack = ~np.concatenate(tally.presence) & ~broken
        if not lack.all():
            meaning = f"{name!r} is missing here; such rows are left out of its loss."
            yield from _named(records, lack, "missing labels", meaning)


def of_energies(records: Records) -> Iterator[Suspicion]:
    """Energies that are far from all others, and units that are not those of the file."""
    counts, elements = records.composition()
    for name, parts in records.energies.items():
        energies, unit = np.concatenate(parts), records.units[name]
        wrong = unit_of_energy(counts, elements, energies, unit)
        if wrong:
            rows = np.isfinite(energies)
            yield from _named(records, rows, "unit of energy", f"{name!r}: {wrong}")
        rows, distance = outliers(counts, energies)
        if len(rows):
            text = f"{name!r} per atom is up to {distance[0]:.3g} robust deviations from what the "
            text += "elements say; the calculation may not have converged."
            yield from _listed(records, rows, "energy outliers", text)
    units = records.units.get("energy", ""), records.units.get("forces", "")
    wrong = unit_of_forces(*records.changes(), *units)
    if wrong:
        every = np.ones(len(records.names), dtype=bool)
        yield from _named(records, every, "unit of forces", wrong)


def of_copies(records: Records, groups: Copies) -> Iterator[Suspicion]:
    """Structures that repeat an earlier one, and copies whose energies differ."""
    rows = np.flatnonzero(groups.alike != np.arange(len(groups.alike)))
    exact = int((groups.exact != np.arange(len(groups.exact))).sum())
    if len(rows):
        names = [_pair(records.names, k, groups.alike[k]) for k in rows[:MOST_FRAMES]]
        meaning = f"they repeat an earlier structure, {exact:,} exactly and {len(rows) - exact:,} "
        meaning += "up to rotation, shift or the order of atoms; keep them in one part of a split."
        yield Suspicion("duplicates", len(rows), tuple(names), meaning)
    for name, parts in records.energies.items():
        energies = np.concatenate(parts)
        gap = np.abs(energies - energies[groups.alike])
        wrong = gap > 1e-3 * np.concatenate(records.sizes) + 1e-6 * np.abs(energies)
        meaning = f"{name!r} differs from that of the same structure by up to "
        meaning += f"{np.max(gap, where=wrong, initial=0):.3g}."
        yield from _named(records, wrong, "labels of copies", meaning)


def of_shapes(tallies: dict[str, ColumnTally], names: list[str]) -> Iterator[Suspicion]:
    """Columns that are not one quantity in all structures."""
    for name, tally in tallies.items():
        if tally.others:
            frames = tuple(names[k] for k in tally.others[:MOST_FRAMES])
            text = f"{name!r} has another shape, type or unit than in the structures before, from "
            text += "here on."
            yield Suspicion("mixed columns", len(tally.others), frames, text)


def _broken(records: Records) -> np.ndarray:
    """Whether a molecule (structure,) is in more pieces than most others of its formula."""
    pieces = np.concatenate([part.fragments for part in records.geometries])
    periodic = np.concatenate(records.periodic)
    formulas = np.concatenate(records.formulas)
    rows = np.flatnonzero(~periodic & (pieces > 0))
    broken = np.zeros(len(pieces), dtype=bool)
    if not len(rows):
        return broken
    formula, size = np.unique(formulas[rows], return_inverse=True, return_counts=True)[1:]
    formula = formula.reshape(-1)
    usual = np.ones(len(size), dtype=np.int64)
    for kind in np.flatnonzero(size >= _REPEATS):
        usual[kind] = np.bincount(pieces[rows[formula == kind]]).argmax()
    broken[rows] = pieces[rows] > usual[formula]
    rare = size[formula] < _REPEATS
    if broken[rows[rare]].sum() > _FEW * rare.sum():
        broken[rows[rare]] = False  # complexes and salts are what the set is made of
    return broken


def _named(records: Records, wrong: np.ndarray, kind: str, meaning: str) -> Iterator[Suspicion]:
    yield from _listed(records, np.flatnonzero(wrong), kind, meaning)


def _listed(records: Records, rows: np.ndarray, kind: str, meaning: str) -> Iterator[Suspicion]:
    """A suspicion of the structures with these indices, if there are any."""
    if len(rows):
        names = tuple(records.names[k] for k in rows[:MOST_FRAMES])
        yield Suspicion(kind, len(rows), names, meaning)


def _pair(names: list[str], one: int, other: int) -> str:
    """Two structures that are the same, by their numbers too where their names do not tell them."""
    if names[one] != names[other]:
        return f"{names[one]} = {names[other]}"
    return f"{names[one]} (number {one} = number {other})"


def _firsts(values: np.ndarray) -> np.ndarray:
    """For each value the index of the first one that is equal."""
    _, first, group = np.unique(values, return_index=True, return_inverse=True)
    return np.asarray(first[group.reshape(-1)])
