"""Structures from ASE's atoms, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .columns import Column
from .columns_of import array_of, column_of, spread
from .structures import Structures
from .texts import value_of
from .units import with_units

if TYPE_CHECKING:
    from ase import Atoms

_OWN_ARRAYS = ("numbers", "positions")
# Results of calculators that have a row for each atom.
_PER_ATOM = ("forces", "stresses", "energies", "charges", "magmoms", "born_effective_charges")
# Other results; a stress is one if it is symmetric.
_RESULTS = (*_PER_ATOM, "energy", "free_energy", "dipole", "magmom")
_VOIGT = [0, 5, 4, 5, 1, 3, 4, 3, 2]  # entries of xx, yy, zz, yz, xz, xy in a matrix of nine


class _Values:
    """Values of one quantity, and the structures that have them."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.values: list[Any] = []

    def add(self, row: int, value: object) -> None:
        self.rows.append(row)
        self.values.append(value)


def from_atoms(atoms: Iterable[Atoms]) -> Structures:
    """Structures of ASE's atoms, with the quantities in `info`, `arrays` and calculators.

    Results of a calculator are taken if it holds them for these positions; nothing is computed.
    `stress` becomes (3, 3). Values of one key that have different kinds or shapes become texts;
    objects become JSON. A key of `info` that is also a result or an array is called `info_KEY`.
    Constraints are dropped.

    Args:
        atoms: the structures.

    Raises:
        ValueError: an array of atoms has another shape in another structure.
    """
    rows = list(atoms)
    per_structure: dict[str, _Values] = {}
    per_atom: dict[str, _Values] = {}
    for row, one in enumerate(rows):
        for name, array in _atomic(one).items():
            per_atom.setdefault(name, _Values()).add(row, array)
        for name, value in _structural(one).items():
            per_structure.setdefault(name, _Values()).add(row, value)
    sizes = np.array([len(one) for one in rows], dtype=np.int64)
    ends = np.concatenate([[0], sizes.cumsum()]).astype(np.int64)
    columns = {}
    for name, values in per_structure.items():
        column = column_of(array_of(values.values))
        label = f"info_{name}" if name in per_atom else name
        columns[label] = spread(column, np.array(values.rows), len(rows))
    for name, values in per_atom.items():
        columns[name] = _atom_column(name, values, ends)
    return Structures(
        np.concatenate([np.zeros(0, dtype=np.int64), *[one.numbers for one in rows]]),
        np.concatenate([np.zeros((0, 3)), *[one.positions for one in rows]]),
        ends,
        np.array([one.cell.array for one in rows]).reshape(-1, 3, 3),
        np.array([one.pbc for one in rows]).reshape(-1, 3),
        with_units(columns, {}),
    )


def to_atoms(structures: Structures) -> list[Atoms]:
    """ASE's atoms of structures.

    Standard results, such as `energy` and `forces`, are returned by a `SinglePointCalculator`, so
    that `atoms.get_potential_energy()` finds them. Other quantities, and a stress that is not
    symmetric, are in `info` and `arrays`.
    What a structure misses is left out.

    Args:
        structures: the structures.
    """
    from ase import Atoms
    from ase.calculators.singlepoint import SinglePointCalculator

    result = []
    for row in range(len(structures)):
        atoms = slice(structures.ends[row], structures.ends[row + 1])
        one = Atoms(
            structures.z[atoms],
            structures.pos[atoms],
            cell=structures.cell[row],
            pbc=structures.pbc[row],
        )
        results = {}
        for name, column in structures.columns.items():
            place = row if column.per == "structure" else atoms
            if column.known is not None and not column.known[place].any():
                continue
            value = _value(column, place)
            if name == "stress" and value.shape == (3, 3) and np.array_equal(value, value.T):
                results[name] = value[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
            elif name in _RESULTS and (column.per == "atom") == (name in _PER_ATOM):
                results[name] = value
            elif column.per == "atom":
                one.set_array(name, value)
            else:
                one.info[name] = value
        if results:
            one.calc = SinglePointCalculator(one, **results)
        result.append(one)
    return result


def _atomic(atoms: Atoms) -> dict[str, np.ndarray]:
    """The quantities of one structure that have a row for each atom."""
    arrays = {name: value for name, value in atoms.arrays.items() if name not in _OWN_ARRAYS}
    results = _results(atoms)
    return arrays | {name: np.asarray(results[name]) for name in _PER_ATOM if name in results}


def _structural(atoms: Atoms) -> dict[str, object]:
    """The quantities of one structure as a whole."""
    results = {name: value for name, value in _results(atoms).items() if name not in _PER_ATOM}
    if "stress" in results and np.shape(results["stress"]) == (6,):
        results["stress"] = np.asarray(results["stress"])[_VOIGT].reshape(3, 3)
    info = {}
    for name, value in atoms.info.items():
        if value is not None:
            info[f"info_{name}" if name in results else str(name)] = value
    return {**results, **info}


def _results(atoms: Atoms) -> Mapping[str, Any]:
    """What the calculator has computed for these positions."""
    calculator = atoms.calc
    results = getattr(calculator, "results", None)
    if calculator is None or not results or calculator.check_state(atoms):
        return {}
    return {name: value for name, value in results.items() if value is not None}


def _atom_column(name: str, values: _Values, ends: np.ndarray) -> Column:
    arrays: Sequence[np.ndarray] = values.values
    shapes = {array.shape[1:] for array in arrays}
    if len(shapes) > 1:
        raise ValueError(
            f"{name} has rows of the shapes {', '.join(map(str, sorted(shapes)))} in structures "
            f"{values.rows[0]} to {values.rows[-1]}; it must have one shape."
        )
    atoms = [np.arange(ends[row], ends[row + 1]) for row in values.rows]
    data = np.concatenate(arrays)
    if data.dtype == object:
        data = data.astype(str)
    return spread(column_of(data, "atom"), np.concatenate(atoms), int(ends[-1]))


def _value(column: Column, place: int | slice) -> Any:
    """The value of a structure, or the rows of its atoms."""
    value = column.data[place]
    if isinstance(value, np.ndarray):
        return value.copy()
    return value_of(str(value)) if column.data.dtype.kind in "US" else value
