"""What the structures of a training set are like, and which other structures are unlike them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..elements import NUMBERS, SYMBOLS
from .contacts import chunks, contacts, fragments
from .structures import Structures

_MOST_ELEMENTS = 30  # of which the least distance of every pair is kept
_FEW = 10  # structures with an element, that is noted where they are also few of all
_FEW_OF_ALL = 0.05
_CLOSER = 0.98  # of the least distance, so that rounding is not noted
_MOST_VALUES = 100  # of charge and spin


@dataclass(frozen=True)
class Domain:
    """What a set of structures is like.

    Args:
        count: number of structures.
        elements: numbers of structures and of atoms that have each atomic number.
        sizes: the smallest and the largest number of atoms.
        charges: all total charges in e.
        spins: all spin multiplicities.
        distances: least distance in Angstrom of two bonded atoms, by their atomic numbers in
            ascending order.
        fragments: the largest number of separate fragments of a structure.
        lone: number of structures with an atom that is bonded to nothing.
        periodic: number of structures that are periodic.
        densities: the least and the largest number of atoms in a cubic Angstrom of those that are
            periodic in three directions; none where there are no such structures.
    """

    count: int
    elements: Mapping[int, tuple[int, int]]
    sizes: tuple[int, int]
    charges: tuple[float, ...] = (0.0,)
    spins: tuple[float, ...] = (1.0,)
    distances: Mapping[tuple[int, int], float] = field(default_factory=dict)
    fragments: int = 1
    lone: int = 0
    periodic: int = 0
    densities: tuple[float, float] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The domain as JSON has it, with symbols of elements and of pairs such as `C-H`."""
        return {
            "structures": self.count,
            "elements": {
                SYMBOLS[z]: {"structures": rows, "atoms": atoms}
                for z, (rows, atoms) in self.elements.items()
            },
            "atoms": list(self.sizes),
            "charges": list(self.charges),
            "spins": list(self.spins),
            "distances": {
                f"{SYMBOLS[first]}-{SYMBOLS[second]}": round(distance, 4)
                for (first, second), distance in self.distances.items()
            },
            "fragments": self.fragments,
            "lone_atoms": self.lone,
            "periodic": self.periodic,
            "open": self.count - self.periodic,
            "densities": None if self.densities is None else list(self.densities),
        }

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Domain:
        """The domain from what `as_dict` returns."""
        distances = {}
        for pair, distance in values["distances"].items():
            first, second = pair.split("-")
            distances[NUMBERS[first], NUMBERS[second]] = float(distance)
        densities = values["densities"]
        return cls(
            values["structures"],
            {
                NUMBERS[symbol]: (entry["structures"], entry["atoms"])
                for symbol, entry in values["elements"].items()
            },
            (values["atoms"][0], values["atoms"][1]),
            tuple(values["charges"]),
            tuple(values["spins"]),
            distances,
            values["fragments"],
            values["lone_atoms"],
            values["periodic"],
            None if densities is None else (densities[0], densities[1]),
        )


def domain_of(structures: Structures) -> Domain:
    """What a set of structures is like."""
    owner = np.repeat(np.arange(len(structures)), structures.sizes)
    elements = {}
    for z, atoms in sorted(Counter(structures.z.tolist()).items()):
        elements[z] = (len(np.unique(owner[structures.z == z])), atoms)
    distances: dict[tuple[int, int], float] = {}
    most, lone = 0, 0
    for part in chunks(structures):
        pairs, distance = contacts(part)
        if len(elements) <= _MOST_ELEMENTS:
            _update_least(distances, part.z[pairs], distance)
        count, alone = _pieces(part, pairs)
        most, lone = max(most, int(count.max())), lone + int((alone > 0).sum())
    solid = structures.pbc.all(1)
    density = structures.sizes[solid] / np.abs(np.linalg.det(structures.cell[solid]))
    return Domain(
        len(structures),
        elements,
        (int(structures.sizes.min()), int(structures.sizes.max())),
        _values(total_charge(structures)),
        _values(multiplicity(structures)),
        distances,
        most,
        lone,
        int(structures.is_periodic.sum()),
        (float(density.min()), float(density.max())) if solid.any() else None,
    )


def differences(structures: Structures, domain: Domain) -> list[list[str]]:
    """How each structure is unlike those of a domain, in words; none where it is like them.

    Elements that the domain does not have are not its matter: no network predicts them.
    """
    notes: list[list[str]] = []
    for part in chunks(structures):
        notes += _differences(part, domain)
    return notes


def total_charge(structures: Structures) -> np.ndarray:
    """The total charge of each structure (structure,) in e.

    It is that of the column `charge`, or else `total_charge`. Where both are missing, it is the sum
    of the initial charges of its atoms, rounded, or 0.
    """
    atoms = _sums(structures, "initial_charges")
    charge = np.zeros(len(structures)) if atoms is None else atoms
    return _filled(structures, "charge", _filled(structures, "total_charge", charge))


def multiplicity(structures: Structures) -> np.ndarray:
    """The spin multiplicity 2S + 1 of each structure (structure,).

    It is that of the column `spin`, or else `spin_multiplicity`. Where both are missing, it follows
    from the initial magnetic moments of its atoms, or is 1.
    """
    atoms = _sums(structures, "initial_magmoms")
    spin = 1 + np.abs(0 if atoms is None else atoms)
    return _filled(structures, "spin", _filled(structures, "spin_multiplicity", spin))


def _differences(part: Structures, domain: Domain) -> list[list[str]]:
    pairs, distance = contacts(part)
    count, alone = _pieces(part, pairs)
    close = _too_close(part, pairs, distance, domain)
    charge, spin = total_charge(part), multiplicity(part)
    rows = []
    for k, numbers in enumerate(part.numbers()):
        notes = _rare(numbers, domain) + _size(len(numbers), domain)
        if charge[k] not in domain.charges:
            notes.append(f"charge {charge[k]:+g}, training had {_list(domain.charges)}")
        if spin[k] not in domain.spins:
            notes.append(f"spin {spin[k]:g}, training had {_list(domain.spins)}")
        if part.is_periodic[k] and not domain.periodic:
            notes.append("periodic, training was not")
        if not part.is_periodic[k] and domain.periodic == domain.count:
            notes.append("not periodic, training was")
        if alone[k] and not domain.lone:
            notes.append(f"{alone[k]} lone atom{'s' if alone[k] > 1 else ''}")
        if count[k] > domain.fragments:
            notes.append(f"{count[k]} separate fragments, training had {domain.fragments}")
        rows.append(notes + close.get(k, []))
    return rows


def _rare(numbers: np.ndarray, domain: Domain) -> list[str]:
    """The elements that few structures of the domain have."""
    least = min(_FEW, _FEW_OF_ALL * domain.count)
    notes = []
    for z in np.unique(numbers).tolist():
        rows = domain.elements.get(z, (domain.count, 0))[0]
        if rows < least:
            word = "structure" if rows == 1 else "structures"
            notes.append(f"{SYMBOLS[z]} in {rows} training {word} only")
    return notes


def _size(atoms: int, domain: Domain) -> list[str]:
    smallest, largest = domain.sizes
    if smallest <= atoms <= largest:
        return []
    training = f"{smallest}" if smallest == largest else f"{smallest} to {largest}"
    return [f"{atoms} atom{'' if atoms == 1 else 's'}, training had {training}"]


def _too_close(
    part: Structures, pairs: np.ndarray, distance: np.ndarray, domain: Domain
) -> dict[int, list[str]]:
    """The pair of atoms of each structure that is the most below the least distance of training."""
    if not domain.distances:
        return {}
    least = np.zeros((119, 119))
    for (first, second), value in domain.distances.items():
        least[first, second] = least[second, first] = value
    ratio = distance / np.maximum(least[tuple(part.z[pairs])], 1e-9)
    low = np.flatnonzero(ratio < _CLOSER)
    owner = np.searchsorted(part.ends, pairs[0, low], side="right") - 1
    notes: dict[int, list[str]] = {}
    for k, pair in zip(owner.tolist(), low.tolist(), strict=True):
        best = min(low[owner == k].tolist(), key=ratio.__getitem__)
        if pair == best:
            first, second = sorted(part.z[pairs[:, pair]].tolist())
            name = f"{SYMBOLS[first]}-{SYMBOLS[second]}"
            notes[k] = [
                f"{name} at {distance[pair]:.2f} A, training had {least[first, second]:.2f} or more"
            ]
    return notes


def _pieces(part: Structures, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The number of fragments and of lone atoms of each structure (structure,)."""
    label = fragments(len(part.z), pairs)
    first, sizes = np.unique(label, return_counts=True)
    owner = np.searchsorted(part.ends, first, side="right") - 1
    count = np.bincount(owner, minlength=len(part))
    return count, np.bincount(owner[sizes == 1], minlength=len(part))


def _update_least(least: dict[tuple[int, int], float], z: np.ndarray, distance: np.ndarray) -> None:
    """Lower the least distance of each pair of elements z (2, pair) to those that are given."""
    low, high = np.sort(z, axis=0)
    for code in np.unique(low * 1000 + high).tolist():
        pair = divmod(code, 1000)
        value = float(distance[(low == pair[0]) & (high == pair[1])].min())
        least[pair] = min(value, least.get(pair, np.inf))


def _sums(structures: Structures, name: str) -> np.ndarray | None:
    """The rounded sums (structure,) of a number of each atom, if there is such a quantity."""
    column = structures.columns.get(name)
    if column is None or column.per != "atom" or column.shape != ():
        return None
    total = np.concatenate([[0.0], np.nan_to_num(column.data.astype(np.float64)).cumsum()])
    return np.asarray(np.round(np.diff(total[structures.ends])))


def _filled(structures: Structures, name: str, default: np.ndarray) -> np.ndarray:
    """A number of each structure (structure,), with a default where it is missing."""
    column = structures.columns.get(name)
    if column is None or column.per != "structure" or column.data.dtype.kind not in "fiub":
        return default + np.zeros(len(structures))
    if column.shape not in ((), (1,)):
        return default + np.zeros(len(structures))
    values = column.data.astype(np.float64).reshape(-1)
    return np.where(column.missing | np.isnan(values), default, values)


def _values(values: np.ndarray) -> tuple[float, ...]:
    return tuple(np.unique(values).tolist()[:_MOST_VALUES])


def _list(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values[:5]) + (", ..." if len(values) > 5 else "")
