"""What is kept of each structure while parts of a set go by: some numbers, and no positions."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..cells import densities
from ..structures import Structures
from ..traces import formulas, keys, kinds, traces
from .energies import is_energy, steps
from .geometry import Geometry, geometry

_MOST_STEPS = 2000  # pairs of frames that are compared with their forces


@dataclass
class Records:
    """Numbers of all structures, in lists of a part each until `joined` puts them together."""

    names: list[str] = field(default_factory=list)
    sizes: list[np.ndarray] = field(default_factory=list)
    periodic: list[np.ndarray] = field(default_factory=list)
    densities: list[np.ndarray] = field(default_factory=list)
    keys: list[np.ndarray] = field(default_factory=list)
    formulas: list[np.ndarray] = field(default_factory=list)
    kinds: list[np.ndarray] = field(default_factory=list)
    traces: list[np.ndarray] = field(default_factory=list)
    geometries: list[Geometry] = field(default_factory=list)
    compositions: list[np.ndarray] = field(default_factory=list)
    energies: dict[str, list[np.ndarray]] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    steps: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)

    def add(self, part: Structures) -> None:
        first = len(self.names)
        self.names += [part.name(k) for k in range(len(part))]
        self.sizes.append(part.sizes)
        self.periodic.append(part.is_periodic)
        self.densities.append(densities(part))
        self.keys.append(keys(part))
        self.formulas.append(formulas(part))
        self.kinds.append(kinds(part))
        self.traces.append(traces(part))
        self.geometries.append(geometry(part))
        self.compositions.append(_composition(part, first))
        self._add_energies(part, first)

    def composition(self) -> tuple[np.ndarray, np.ndarray]:
        """Atoms of each element in each structure (structure, element), and the elements."""
        owner, z, count = np.concatenate(self.compositions).T
        elements, column = np.unique(z, return_inverse=True)
        counts = np.zeros((len(self.names), len(elements)))
        counts[owner, column.reshape(-1)] = count
        return counts, elements

    def changes(self) -> tuple[np.ndarray, np.ndarray]:
        """Changes of the energy between frames (pair,), and the work of forces, as `steps` says."""
        if not self.steps:
            return np.zeros(0), np.zeros(0)
        change, work = np.concatenate([np.stack(part) for part in self.steps], 1)
        return change, work

    def _add_energies(self, part: Structures, first: int) -> None:
        for name, column in part.columns.items():
            if name not in self.energies and is_energy(name, column):
                self.energies[name] = [np.full(first, np.nan)]
                self.units[name] = column.unit
        for name, values in self.energies.items():
            if name in part.columns and is_energy(name, part.columns[name]):
                column = part.columns[name]
                values.append(np.where(column.missing, np.nan, column.data.reshape(len(part))))
            else:
                values.append(np.full(len(part), np.nan))
        compared = sum(len(change) for change, _ in self.steps)
        if {"energy", "forces"} <= set(part.columns) and compared < _MOST_STEPS:
            self.steps.append(steps(part))
            self.units["forces"] = part.columns["forces"].unit


def _composition(part: Structures, first: int) -> np.ndarray:
    """Rows of structure, element and number of its atoms (row, 3)."""
    owner = np.repeat(np.arange(first, first + len(part)), part.sizes)
    rows, count = np.unique(np.column_stack([owner, part.z]), axis=0, return_counts=True)
    return np.column_stack([rows, count])
