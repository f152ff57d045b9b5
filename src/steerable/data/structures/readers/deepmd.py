"""Folders of DeePMD-kit: types of atoms, and arrays of frames in set.*/."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from steerable.data.elements import NUMBERS

from ..columns import Column
from ..errors import ReadError
from ..structures import Structures
from .framed import from_frames

_NAMES = {"force": "forces", "atom_ener": "energies"}
_UNITS = {"energy": "eV", "forces": "eV/Angstrom", "virial": "eV", "energies": "eV"}
_GEOMETRY = ("coord", "box", "real_atom_types")
# What a structure has if so many numbers are in a row: a number, a vector, a tensor.
_WIDTHS = (1, 3, 6, 9)


def read_deepmd(path: Path) -> Iterator[Structures]:
    """Read a folder with type.raw, type_map.raw and set.*/*.npy, or all such folders in a folder.

    Arrays of rows with 1, 3, 6 or 9 numbers are quantities of structures; others that have numbers
    for each atom, and `force`, `atom_*` and `atomic_*`, of atoms. Rows of 9 are tensors (3, 3).
    Frames without `box`, or with a file `nopbc`, are not periodic. The source is the folder's name.

    Args:
        path: of the folder.

    Raises:
        ReadError: a file is missing or has another shape than its name says.
    """
    for types in sorted(path.rglob("type.raw")):
        folder = types.parent
        sets = sorted(folder.glob("set.*"))
        if not sets:
            raise ReadError(f"{folder}: there is no folder set.000 with arrays.")
        elements, kinds = _elements(folder), np.loadtxt(types, dtype=np.int64, ndmin=1)
        first = 0
        for one in sets:
            try:
                part = _set(one, elements, kinds, (folder / "nopbc").exists())
            except (ValueError, OSError) as error:
                raise ReadError(f"{one}: {error}") from None
            source = np.full(len(part), str(folder.relative_to(path.parent)))
            frame = np.arange(first, first + len(part))
            first += len(part)
            yield replace(part, source=source, frame=frame)


def _elements(folder: Path) -> np.ndarray:
    """The atomic number of each type, and 0 at the end for the type -1, which is no atom."""
    path = folder / "type_map.raw"
    if not path.exists():
        raise ReadError(
            f"{folder}: there is no type_map.raw; write into it the symbols of the types' elements."
        )
    symbols = path.read_text().split()
    unknown = [symbol for symbol in symbols if symbol not in NUMBERS]
    if unknown:
        raise ReadError(f"{path}: {unknown[0]!r} is no element.")
    return np.array([*(NUMBERS[symbol] for symbol in symbols), 0], dtype=np.int64)


def _set(folder: Path, elements: np.ndarray, kinds: np.ndarray, is_open: bool) -> Structures:
    """The frames of one folder set.*."""
    arrays = {path.stem: np.load(path, allow_pickle=False) for path in folder.glob("*.npy")}
    if "coord" not in arrays:
        raise ValueError("there is no coord.npy.")
    kinds = arrays.get("real_atom_types", kinds)
    if kinds.min() < -1 or kinds.max() > len(elements) - 2:
        raise ValueError(f"there is an atom of type {kinds.max()} that type_map.raw does not have.")
    frames, atoms = len(arrays["coord"]), kinds.shape[-1]
    columns = {}
    for name, values in sorted(arrays.items()):
        if len(values) != frames:
            raise ValueError(f"{name}.npy has {len(values)} frames and coord.npy {frames}.")
        if name not in _GEOMETRY:
            name = _NAMES.get(name, name)
            columns[name] = _column(name, values.reshape(frames, -1), atoms)
    cell = None if is_open or "box" not in arrays else arrays["box"].reshape(-1, 3, 3)
    pos = arrays["coord"].reshape(frames, -1, 3)
    if pos.shape[1] != atoms:
        raise ValueError(f"coord.npy has {pos.shape[1]} atoms and type.raw {atoms}.")
    return from_frames(elements[kinds], pos, columns, cell)


def _column(name: str, values: np.ndarray, atoms: int) -> Column:
    """A quantity from rows of numbers (frame, number)."""
    frames, width = values.shape
    unit = _UNITS.get(name, "")
    is_of_atoms = name in ("forces", "energies") or name.startswith(("atom_", "atomic_"))
    if not is_of_atoms and (width in _WIDTHS or width % atoms):
        return Column(values.reshape(frames, *_shape(width)), "structure", unit)
    if width % atoms:
        raise ValueError(f"{name} has {width} numbers in a row for {atoms} atoms.")
    return Column(values.reshape(frames, atoms, *_shape(width // atoms)), "atom", unit)


def _shape(width: int) -> tuple[int, ...]:
    return {1: (), 9: (3, 3)}.get(width, (width,))
