"""The reader of ASE's data bases, SQLite (.db) and JSON, also of those of SchNetPack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..atoms import from_atoms
from ..errors import ReadError
from ..structures import Structures
from ..units import with_units

if TYPE_CHECKING:
    from ase import Atoms

_PART = 1000  # structures that are read at once
METADATA = "steerable"  # where the writer says units, and which data have a row for each atom
_SCHNETPACK = "_property_unit_dict"
_OF_ATOMS = ("forces", "charges", "magmoms", "velocities")
Values = Mapping[str, Any]


def read_database(path: Path, **options: Any) -> Iterator[Structures]:
    """Read the rows of a data base of ASE, part by part.

    The columns are the results of calculators, the key-value pairs and the data. Data with a row
    for each atom, in structures of different sizes, belong to the atoms; so do `forces` and
    the like. Units are those in the metadata, as SchNetPack and this library write them.

    Args:
        path: of the file.
        options: of `ase.db.connect`.

    Raises:
        ReadError: it is no data base of ASE, or a row cannot be read.
    """
    import ase.db

    row = 0
    try:
        with ase.db.connect(str(path), **options) as database:
            metadata = database.metadata
            rows = database.select()
            of_atoms: set[str] | None = None
            while part := list(islice(rows, _PART)):
                if of_atoms is None:
                    of_atoms = _of_atoms(part, metadata)
                atoms = [_atoms(one, of_atoms, _SCHNETPACK in metadata) for one in part]
                structures = from_atoms(atoms)
                yield structures.with_columns(with_units(structures.columns, _units(metadata)))
                row += len(part)
    except Exception as error:  # a damaged file may raise anything
        if isinstance(error, ReadError):
            raise
        raise ReadError(
            f"{path}: it cannot be read as a data base of ASE beyond row {row}: "
            f"{type(error).__name__}: {error}"
        ) from error


def _units(metadata: Values) -> dict[str, str]:
    listed = metadata.get(_SCHNETPACK) or {}
    units = {name: unit for name, unit in listed.items() if isinstance(unit, str)}  # some are 1.0
    return {**units, **(metadata.get(METADATA) or {}).get("units", {})}


def _of_atoms(rows: list[Any], metadata: Values) -> set[str]:
    """The names of data that have a row for each atom."""
    if METADATA in metadata:
        return set(metadata[METADATA].get("per_atom", ()))
    shapes: dict[str, list[tuple[int, ...]]] = {}
    sizes: dict[str, list[int]] = {}
    for row in rows:
        for name, value in row.data.items():
            shapes.setdefault(name, []).append(_shape(value))
            sizes.setdefault(name, []).append(row.natoms)
    result = set()
    for name, several in shapes.items():
        fits = [shape[:1] == (size,) for shape, size in zip(several, sizes[name], strict=True)]
        if all(fits) and (name in _OF_ATOMS or len(set(sizes[name])) > 1):
            result.add(name)
    return result


def _shape(value: Any) -> tuple[int, ...]:
    try:
        return np.shape(value)
    except ValueError:  # lists of different lengths
        return ()


def _atoms(row: Any, of_atoms: set[str], is_schnetpack: bool) -> Atoms:
    atoms = row.toatoms()
    # Not row.key_value_pairs: there a pair `charge` is hidden by the sum of initial charges.
    atoms.info = {name: vars(row)[name] for name in row.key_value_pairs}
    for name, value in row.data.items():
        if name in of_atoms:
            atoms.arrays[name] = np.asarray(value)
        elif is_schnetpack and np.shape(value) == (1,):  # its numbers have one entry
            atoms.info[name] = np.asarray(value)[0]
        else:
            atoms.info[name] = value
    return atoms
