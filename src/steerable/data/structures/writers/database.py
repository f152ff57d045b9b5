"""The writer of ASE's data bases, SQLite (.db) and JSON."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..atoms import to_atoms
from ..readers.database import METADATA
from ..structures import Structures

if TYPE_CHECKING:
    from ase import Atoms

# Arrays that ASE's data bases have a place for.
_ARRAYS = frozenset(
    ("numbers", "positions", "tags", "momenta", "masses", "initial_charges", "initial_magmoms")
)


def write_database(path: Path, parts: Iterable[Structures]) -> None:
    """Write structures part by part.

    Results are those of a calculator, numbers and texts are key-value pairs, and all else is data.
    The metadata have the units, and which data have a row for each atom. ASE writes a JSON file
    anew for every structure: it is for some hundred of them.

    Args:
        path: of the file; it is replaced. SQLite keeps no sign of a result that is zero.
        parts: the structures.
    """
    import ase.db

    path.unlink(missing_ok=True)
    units: dict[str, str] = {}
    of_atoms: set[str] = set()
    with ase.db.connect(str(path), append=False, use_lock_file=False) as database:
        for part in parts:
            units |= {name: column.unit for name, column in part.columns.items() if column.unit}
            of_atoms |= {name for name, column in part.columns.items() if column.per == "atom"}
            for atoms in to_atoms(part):
                pairs, data = _pairs_and_data(atoms)
                database.write(atoms, key_value_pairs=pairs, data=data)
    with ase.db.connect(str(path), use_lock_file=False) as database:
        database.metadata = {METADATA: {"units": units, "per_atom": sorted(of_atoms)}}


def _pairs_and_data(atoms: Atoms) -> tuple[dict[str, Any], dict[str, Any]]:
    from ase.db.core import check

    pairs: dict[str, Any] = {}
    data: dict[str, Any] = {}
    for name, value in atoms.info.items():
        plain = value.item() if isinstance(value, np.generic) else value
        try:
            check({name: plain})
            pairs[name] = plain
        except (ValueError, TypeError):  # ASE keeps no arrays as pairs, and reserves names
            data[name] = plain
    for name, value in atoms.arrays.items():
        if name not in _ARRAYS:
            data[name] = value.tolist() if value.dtype.kind == "U" else value
    atoms.info = {}
    return pairs, data
