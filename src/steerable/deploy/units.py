"""Numbers in another unit: energies, lengths, dipoles, and what is made of them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple


class UnitError(ValueError):
    """A unit that nothing can be expressed in."""


class _Size(NamedTuple):
    """The size of a unit in the units of ASE, and its powers of energy, length, charge, ..."""

    value: float
    powers: tuple[int, ...]


# Powers of energy, length, charge, temperature, and of the count of atoms.
_ENERGY, _LENGTH, _CHARGE = (1, 0, 0, 0, 0), (0, 1, 0, 0, 0), (0, 0, 1, 0, 0)


@cache
def _sizes() -> dict[str, _Size]:
    """The units by name."""
    from ase import units as ase_units  # takes a moment to import

    return {
        "eV": _Size(1.0, _ENERGY),
        "meV": _Size(1e-3, _ENERGY),
        "kcal/mol": _Size(ase_units.kcal / ase_units.mol, _ENERGY),
        "cal/mol": _Size(1e-3 * ase_units.kcal / ase_units.mol, _ENERGY),
        "kJ/mol": _Size(ase_units.kJ / ase_units.mol, _ENERGY),
        "Ha": _Size(ase_units.Hartree, _ENERGY),
        "Angstrom": _Size(1.0, _LENGTH),
        "a0": _Size(ase_units.Bohr, _LENGTH),
        "nm": _Size(ase_units.nm, _LENGTH),
        "e": _Size(1.0, _CHARGE),
        "D": _Size(ase_units.Debye, (0, 1, 1, 0, 0)),
        "GPa": _Size(ase_units.GPa, (1, -3, 0, 0, 0)),
        "K": _Size(1.0, (0, 0, 0, 1, 0)),
        "atom": _Size(1.0, (0, 0, 0, 0, 1)),
    }


def convert(unit: str, wanted: str | None) -> tuple[float, str]:
    """What numbers in a unit are multiplied by to be in another unit, and that unit.

    A unit per something else keeps what follows: `eV/Angstrom` in `meV` is `meV/Angstrom`. Numbers
    of another kind stay as they are.

    Args:
        unit: of the numbers, such as `eV`, `kcal/mol/Angstrom`, `a0^3` or `e Angstrom`.
        wanted: the unit to express them in; None keeps theirs.
    """
    if wanted is None or wanted == unit:
        return 1.0, unit
    size, other = _size(unit), _size(wanted)
    if size is None or other is None:
        return 1.0, unit
    if size.powers == other.powers:
        return size.value / other.value, wanted
    above, _, below = unit.rpartition("/")
    size = _size(above)
    if size is not None and size.powers == other.powers:
        return size.value / other.value, f"{wanted}/{below}"
    return 1.0, unit


def check_units(wanted: str | None, units: Iterable[str]) -> None:
    """Make sure that numbers of some units can be expressed in another.

    Raises:
        UnitError: the unit is unknown, or none of the others is of its kind.
    """
    if wanted is None:
        return
    there = list(dict.fromkeys(units))
    if _size(wanted) is None:
        raise UnitError(
            f"There is no unit {wanted!r}; there are {', '.join(_sizes())}, and quotients and "
            "powers of them."
        )
    if all(convert(unit, wanted)[1] == unit != wanted for unit in there):
        raise UnitError(f"Nothing here can be expressed in {wanted}: it is in {', '.join(there)}.")


def converted(entry: Any, wanted: str | None) -> Any:
    """A number of `metrics.json`, which has a `value` and a `unit`, in another unit."""
    factor, unit = convert(entry["unit"], wanted)
    return entry | {"value": factor * entry["value"], "unit": unit}


def _size(unit: str) -> _Size | None:
    """The size of a unit; None of an unknown one."""
    unit = unit.strip()
    if unit in _sizes():
        return _sizes()[unit]
    for sign, direction in (("/", -1), (" ", 1)):
        left, _, right = unit.rpartition(sign)
        if left and right:
            first, second = _size(left), _size(right)
            if first is None or second is None:
                return None
            powers = zip(first.powers, second.powers, strict=True)
            value = first.value * second.value**direction
            return _Size(value, tuple(a + direction * b for a, b in powers))
    base, _, power = unit.partition("^")
    if base in _sizes() and power.isdecimal():
        size = _sizes()[base]
        return _Size(size.value ** int(power), tuple(int(power) * a for a in size.powers))
    return None
