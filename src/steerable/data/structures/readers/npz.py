"""NPZ: arrays of NumPy, named as MD17, rMD17, sGDML and PhysNet do, or in one's own way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from steerable.data.elements import NUMBERS

from ..archive import MARK, from_table
from ..columns import Column, Per
from ..columns_of import column_of
from ..errors import ReadError
from ..structures import Structures
from .framed import from_frames

Arrays = Mapping[str, np.ndarray]

_KCAL = {"energy": "kcal/mol", "forces": "kcal/mol/Angstrom"}


@dataclass(frozen=True)
class Convention:
    """Names of arrays that say what they are.

    Args:
        z: the array of atomic numbers.
        pos: the array of positions.
        names: of quantities, and what they are called here.
        units: of quantities, by the name here.
        without: arrays that have no quantities.
    """

    z: str
    pos: str
    names: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()


# A file has the first one of which it has z, pos and a name.
CONVENTIONS = (
    Convention("z", "R", {"E": "energy", "F": "forces"}, _KCAL),  # MD17 and sGDML
    Convention("nuclear_charges", "coords", {"energies": "energy", "forces": "forces"}, _KCAL),
    Convention(  # PhysNet
        "Z",
        "R",
        {"E": "energy", "F": "forces", "D": "dipole", "Q": "charge"},
        {"energy": "eV", "forces": "eV/Angstrom", "dipole": "e Angstrom", "charge": "e"},
        ("N",),
    ),
)
_NUMBERS = ("z", "numbers", "atomic_numbers", "nuclear_charges", "species", "elements", "Z")
_POSITIONS = ("pos", "positions", "coordinates", "coords", "xyz", "R")
_SIZES = ("sizes", "n_atoms", "natoms", "num_atoms", "N")
_CELLS = ("cell", "cells", "lattice", "box")
# What atoms have where the shape does not tell it from a vector or a tensor of the structure.
_OF_ATOMS = ("forces", "force", "charges", "magmoms", "velocities", "masses")


def read_npz(path: Path) -> Iterator[Structures]:
    """Read structures from the arrays of a file, or as `write` has written them.

    - Positions are (frame, atom, 3) with atomic numbers (atom,), or (frame, atom) that are 0 where
      a frame has fewer atoms; or they are (atom, 3) with `sizes` (structure,) or `ends`
      (structure + 1,), or of one structure.
    - Every other array with a row for each frame is a quantity; with a row for each frame and atom,
      a quantity of atoms. Where 3, 6 or 9 atoms let an array be a vector or a tensor of the
      structure, it is one, except `forces`, `charges`, `magmoms`, `velocities` and `masses`.
      Arrays without such rows are left out.
    - `R`, `z`, `E`, `F` (MD17, sGDML) and `coords`, `nuclear_charges`, `energies`, `forces` (rMD17)
      have energies in kcal/mol; `R`, `Z`, `E`, `F`, `D`, `Q` (PhysNet) in eV. An array `e_unit`, as
      of sGDML, comes before that. The units of all others are not known.

    Args:
        path: of the file.

    Raises:
        ReadError: there are no positions or atomic numbers, their shapes contradict, or an array
            has Python objects.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except Exception as error:  # a damaged file may raise anything
        raise ReadError(f"{path}: the arrays cannot be read: {error}") from None
    try:
        yield from_table(arrays) if MARK in arrays else _structures(arrays)
    except (ValueError, KeyError) as error:
        raise ReadError(f"{path}: {error}") from None


def _structures(arrays: Arrays) -> Structures:
    convention = _convention(arrays)
    z, pos = _atomic_numbers(arrays[convention.z]), arrays[convention.pos]
    is_framed = pos.ndim == 3
    fitting = (pos.shape[:2], pos.shape[1:2]) if is_framed else (pos.shape[:1],)
    if pos.ndim not in (2, 3) or pos.shape[-1] != 3 or z.shape not in fitting:
        raise ValueError(
            f"the positions {convention.pos!r} {pos.shape} and atomic numbers {convention.z!r} "
            f"{z.shape} do not fit; wanted (frame, atom, 3) and (atom,) or (frame, atom), or "
            "(atom, 3) and (atom,)."
        )
    if is_framed:
        columns = _columns(arrays, convention, pos.shape[:2])
        return from_frames(z, pos, columns, *_cell(arrays, len(pos)))
    ends = _ends(arrays, len(pos))
    count = len(ends) - 1
    cell, pbc = _cell(arrays, count)
    columns = {
        name: replace(column_of(column.data, column.per), unit=column.unit)
        for name, column in _flat_columns(arrays, convention, count, len(pos)).items()
    }
    return Structures(z, pos.astype(np.float64), ends, cell, pbc, columns)


def _convention(arrays: Arrays) -> Convention:
    """That of the file, or else one with the names that its arrays have."""
    for convention in CONVENTIONS:
        labels = [name for name in convention.names if name in arrays]
        if {convention.z, convention.pos} <= set(arrays) and labels:
            units = _said_units(arrays) or convention.units
            return replace(convention, units=units)
    z = next((name for name in _NUMBERS if name in arrays), None)
    pos = next((name for name in _POSITIONS if name in arrays), None)
    if z is None or pos is None:
        raise ValueError(
            f"there are the arrays {', '.join(arrays)}; wanted atomic numbers, called one of "
            f"{', '.join(_NUMBERS)}, and positions, called one of {', '.join(_POSITIONS)}."
        )
    return Convention(z, pos)


def _said_units(arrays: Arrays) -> dict[str, str]:
    """The units that sGDML writes beside the arrays."""
    if "e_unit" not in arrays:
        return {}
    energy = str(arrays["e_unit"])
    length = str(arrays.get("r_unit", "Angstrom"))
    length = "Angstrom" if length.lower().startswith("ang") else length
    return {"energy": energy, "forces": f"{energy}/{length}"}


def _atomic_numbers(values: np.ndarray) -> np.ndarray:
    """Atomic numbers from themselves or from symbols; 0 where there is no atom."""
    if values.dtype.kind not in "US":
        return values.astype(np.int64)
    symbols = values.astype(str)
    unknown = sorted(set(symbols.ravel().tolist()) - set(NUMBERS) - {""})
    if unknown:
        raise ValueError(f"there are atoms called {unknown[0]!r}, which is no element.")
    numbers = [NUMBERS.get(symbol, 0) for symbol in symbols.ravel().tolist()]
    return np.array(numbers, dtype=np.int64).reshape(symbols.shape)


def _cell(arrays: Arrays, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Cells (structure, 3, 3), and whether they are repeated (structure, 3)."""
    cell = next((arrays[name] for name in _CELLS if name in arrays), np.zeros((3, 3)))
    if cell.size not in (9, 9 * count):
        raise ValueError(f"the cells have the shape {cell.shape}; wanted ({count}, 3, 3).")
    cell = np.broadcast_to(cell.reshape(-1, 3, 3), (count, 3, 3)).astype(np.float64)
    if "pbc" not in arrays:
        return cell, np.asarray(cell.any(-1))
    pbc = arrays["pbc"]
    if pbc.size not in (1, 3, 3 * count):
        raise ValueError(f"pbc has the shape {pbc.shape}; wanted ({count}, 3).")
    return cell, np.broadcast_to(pbc.reshape(-1, min(pbc.size, 3)), (count, 3)).astype(bool)


def _ends(arrays: Arrays, atoms: int) -> np.ndarray:
    """The first atom of each structure, and the number of atoms."""
    sizes = next((arrays[name] for name in _SIZES if name in arrays), np.array([atoms]))
    ends = arrays.get("ends", np.concatenate([[0], sizes.reshape(-1).cumsum()]))
    if ends[0] != 0 or ends[-1] != atoms or (np.diff(ends) < 1).any():
        raise ValueError(f"the sizes of structures do not add up to {atoms} atoms.")
    return ends.astype(np.int64)


def _columns(arrays: Arrays, convention: Convention, shape: tuple[int, ...]) -> dict[str, Column]:
    """The quantities of frames with so many atoms each."""
    frames, atoms = shape
    columns = {}
    for name, values in _quantities(arrays, convention):
        if values.shape[:1] != (frames,):
            continue
        has_atoms = values.shape[1:2] == (atoms,)
        is_unclear = values.shape[1:] in ((3,), (6,), (9,), (3, 3))
        per: Per = "structure"
        if name in _OF_ATOMS or (has_atoms and not is_unclear):
            per = "atom"
            values = values if has_atoms else values.reshape(frames, atoms, -1)
        columns[name] = _column(values, convention.units.get(name, ""), per)
    return columns


def _flat_columns(
    arrays: Arrays, convention: Convention, count: int, atoms: int
) -> dict[str, Column]:
    """The quantities of structures whose atoms follow each other."""
    columns = {}
    for name, values in _quantities(arrays, convention):
        unit = convention.units.get(name, "")
        if values.shape[:1] == (atoms,) and (name in _OF_ATOMS or atoms != count):
            columns[name] = _column(values, unit, "atom")
        elif values.shape[:1] == (count,):
            columns[name] = _column(values, unit, "structure")
        elif count == 1 and values.dtype.kind in "biuf":
            columns[name] = _column(values[None], unit, "structure")
    return columns


def _quantities(arrays: Arrays, convention: Convention) -> Iterator[tuple[str, np.ndarray]]:
    """The arrays that say no more of the structures themselves, by the name here."""
    geometry = {convention.z, convention.pos, "pbc", "ends", "e_unit", "r_unit"}
    geometry.update(convention.without, _CELLS, _SIZES)
    for name, values in arrays.items():
        if name not in geometry:
            yield convention.names.get(name, name), values


def _column(values: np.ndarray, unit: str, per: Per) -> Column:
    values = values[..., 0] if values.ndim > 1 and values.shape[-1] == 1 else values
    values = values.astype(str) if values.dtype.kind == "S" else values
    return Column(values, per, unit)
