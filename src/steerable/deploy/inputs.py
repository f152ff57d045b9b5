"""What a network takes of structures, and the structures that it has no right answer for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from steerable.data import SYMBOLS
from steerable.data.structures import (
    Domain,
    Structures,
    close_pairs,
    multiplicity,
    total_charge,
)

from .features import FeatureReference

COINCIDENT = 0.1  # Angstrom: no two nuclei of a structure are that close
_NEIGHBOURS = 50.0  # of an atom, where a network does not say


class FramesError(ValueError):
    """Structures that cannot be predicted."""


@dataclass(frozen=True)
class NetworkInputs:
    """What a network takes of structures.

    Args:
        elements: atomic numbers that it was trained on.
        cells: whether it takes periodic structures.
        charge: whether its predictions depend on the total charge.
        spin: whether they depend on the spin multiplicity.
        dipoles: whether it has dipoles of charges, which have no origin in a cell and sum to the
            total charge.
        ignored: `charge` and `spin`, where structures may have any though the network does not
            take it.
        neighbours: the usual number of neighbours of an atom.
        domain: what its training set is like, where that is known.
        features: what its features are like there, where that is known.
    """

    elements: tuple[int, ...]
    cells: bool = False
    charge: bool = False
    spin: bool = False
    dipoles: bool = False
    ignored: frozenset[str] = frozenset()
    neighbours: float = _NEIGHBOURS
    domain: Domain | None = None
    features: FeatureReference | None = None

    @classmethod
    def read(cls, metadata: Mapping[str, Any], ignored: Sequence[str] = ()) -> NetworkInputs:
        """The inputs of a network from the metadata of its run."""
        model = metadata["model"]
        charges = [bool(head.get("charges")) for head in model.get("heads", [])]
        domain, features = metadata.get("domain"), metadata.get("features")
        return cls(
            tuple(metadata.get("elements") or model["elements"]),
            cells="targets" in metadata,
            charge=bool(model.get("charge")) or (bool(charges) and all(charges)),
            spin=bool(model.get("spin")),
            dipoles=any(charges),
            ignored=frozenset(ignored),
            neighbours=model.get("neighbours") or _NEIGHBOURS,
            domain=None if domain is None else Domain.read(domain),
            features=None if features is None else FeatureReference.read(features),
        )

    @property
    def takes(self) -> tuple[object, ...]:
        """What several networks that predict together have in common."""
        return (self.elements, self.cells, self.charge, self.spin)


def faults(structures: Structures, inputs: NetworkInputs) -> dict[int, str]:
    """What is wrong with each structure that has no right answer, and what to do, by its number."""
    reasons: dict[int, str] = {}
    for part in (_empty, _unknown, _infinite, _periodic, _charged, _open_shells):
        for row, reason in part(structures, inputs).items():
            reasons.setdefault(row, reason)
    rest = np.setdiff1d(np.arange(len(structures)), list(reasons))
    reasons |= {int(rest[row]): reason for row, reason in _coincident(structures.select(rest))}
    return reasons


def _empty(structures: Structures, inputs: NetworkInputs) -> dict[int, str]:
    rows = np.flatnonzero(structures.sizes == 0)
    return {int(row): "has no atoms: remove it." for row in rows}


def _unknown(structures: Structures, inputs: NetworkInputs) -> dict[int, str]:
    atoms = ~np.isin(structures.z, inputs.elements)
    return {
        row: f"has {_symbols(np.unique(z).tolist())}, and the network was trained on "
        f"{_symbols(sorted(inputs.elements))} alone: remove the frame, or train a network on such "
        "molecules."
        for row, z in _rows_of(structures, atoms, structures.z).items()
    }


def _infinite(structures: Structures, inputs: NetworkInputs) -> dict[int, str]:
    atoms = ~np.isfinite(structures.pos).all(1)
    number = np.arange(len(structures.z)) - np.repeat(structures.ends[:-1], structures.sizes)
    return {
        row: f"has a position that is NaN or infinite: that of atom {atom[0]}."
        for row, atom in _rows_of(structures, atoms, number).items()
    }


def _periodic(structures: Structures, inputs: NetworkInputs) -> dict[int, str]:
    if not inputs.cells:
        reason = (
            "is periodic, and the network knows isolated molecules alone: unset its pbc if it is "
            "one in a box."
        )
    elif inputs.dipoles:
        reason = (
            "is periodic, and the network has dipoles of charges, which depend on the cell that "
            "was chosen: unset its pbc if it is a molecule in a box."
        )
    else:
        return {}
    return dict.fromkeys(np.flatnonzero(structures.is_periodic).tolist(), reason)


def _charged(structures: Structures, inputs: NetworkInputs) -> dict[int, str]:
    usual = (0.0,) if inputs.domain is None else (0.0, *inputs.domain.charges)
    return _refused(structures, inputs, "charge", total_charge(structures), usual)


def _open_shells(structures: Structures, inputs: NetworkInputs) -> dict[int, str]:
    usual = (1.0,) if inputs.domain is None else (1.0, *inputs.domain.spins)
    return _refused(structures, inputs, "spin", multiplicity(structures), usual)


def _refused(
    structures: Structures,
    inputs: NetworkInputs,
    name: str,
    values: np.ndarray,
    usual: tuple[float, ...],
) -> dict[int, str]:
    """The structures whose charge or spin a network would ignore."""
    if getattr(inputs, name) or name in inputs.ignored:
        return {}
    return {
        int(row): f"has the {name} {values[row]:g}, and the network does not take the {name} of "
        f"structures: its prediction would be that of {name} {usual[-1]:g}. Train a network that "
        f"takes it, or insist with --ignore-{name}."
        for row in np.flatnonzero(~np.isin(values, usual))
    }


def _coincident(structures: Structures) -> list[tuple[int, str]]:
    pairs, _ = close_pairs(structures, COINCIDENT)
    owner = np.searchsorted(structures.ends, pairs[0], side="right") - 1
    rows, first = np.unique(owner, return_index=True)
    reasons = []
    for row, pair in zip(rows.tolist(), first.tolist(), strict=True):
        one, two = sorted((pairs[:, pair] - structures.ends[row]).tolist())
        reasons.append(
            (
                row,
                f"has the atoms {one} and {two} in one place (closer than {COINCIDENT} Angstrom).",
            )
        )
    return reasons


def _rows_of(
    structures: Structures, atoms: np.ndarray, values: np.ndarray
) -> dict[int, np.ndarray]:
    """The values of some atoms, by structure."""
    owner = np.repeat(np.arange(len(structures)), structures.sizes)[atoms]
    return {row: values[atoms][owner == row] for row in np.unique(owner).tolist()}


def _symbols(numbers: Sequence[int]) -> str:
    return ", ".join(SYMBOLS[z] for z in numbers)
