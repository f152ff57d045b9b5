"""From arrays with a row for each frame to structures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..columns import Column
from ..columns_of import column_of
from ..structures import Structures


def from_frames(
    z: np.ndarray,
    pos: np.ndarray,
    columns: Mapping[str, Column],
    cell: np.ndarray | None = None,
    pbc: np.ndarray | None = None,
) -> Structures:
    """Structures from frames that have one number of atoms, or fewer atoms and padding.

    Args:
        z: atomic numbers (atom,) of all frames, or (frame, atom) with 0 where there is no atom.
        pos: positions (frame, atom, 3) in Angstrom.
        columns: quantities. Those of atoms have the shape (frame, atom, ...). NaN is missing.
        cell: vectors of the cells (3, 3) or (frame, 3, 3) in Angstrom; by default there are none.
        pbc: whether there are repetitions along each vector (3,) or (frame, 3); by default along
            those that are not zero.
    """
    frames, atoms = pos.shape[:2]
    is_atom = np.broadcast_to(z, (frames, atoms)) > 0
    cells = np.broadcast_to(np.zeros((3, 3)) if cell is None else cell, (frames, 3, 3))
    repeats = np.broadcast_to(cells.any(-1) if pbc is None else pbc, (frames, 3))
    rows = {}
    for name, column in columns.items():
        values = column.data if column.per == "structure" else column.data[is_atom]
        rows[name] = replace(column_of(values, column.per), unit=column.unit)
    return Structures(
        np.broadcast_to(z, (frames, atoms))[is_atom].astype(np.int64),
        pos[is_atom].astype(np.float64),
        np.concatenate([[0], is_atom.sum(1).cumsum()]).astype(np.int64),
        cells.astype(np.float64),
        repeats.astype(bool),
        rows,
    )
