"""Units of the quantities that ASE has names for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from .columns import Column

ASE_UNITS = {
    "energy": "eV",
    "free_energy": "eV",
    "energies": "eV",
    "forces": "eV/Angstrom",
    "stress": "eV/Angstrom^3",
    "stresses": "eV/Angstrom^3",
    "virial": "eV",
    "dipole": "e Angstrom",
    "charge": "e",
    "charges": "e",
    "initial_charges": "e",
    "magmom": "mu_B",
    "magmoms": "mu_B",
    "initial_magmoms": "mu_B",
    "masses": "u",
}


def with_units(columns: Mapping[str, Column], units: Mapping[str, str]) -> dict[str, Column]:
    """The columns with their units: those said by name, or else ASE's for the names it has."""
    result = {}
    for name, column in columns.items():
        unit = units.get(name, column.unit or _ase_unit(name, column))
        result[name] = column if unit == column.unit else replace(column, unit=unit)
    return result


def _ase_unit(name: str, column: Column) -> str:
    return ASE_UNITS.get(name, "") if column.data.dtype.kind in "fiu" else ""
