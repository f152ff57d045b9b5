"""Structures from the graphs of PyTorch Geometric."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from .columns import Column, Per
from .columns_of import column_of, spread
from .structures import Structures

if TYPE_CHECKING:
    from torch_geometric.data import Data

_NUMBERS = ("z", "atomic_numbers", "numbers")
# What is no quantity: positions, cells and edges, and how graphs are put into batches.
_GEOMETRY = (*_NUMBERS, "pos", "cell", "pbc", "natoms", "num_nodes", "batch", "ptr")

Values = dict[str, np.ndarray]


def from_data(data: Iterable[Data]) -> Structures:
    """Structures of a data set, or of a list of graphs, of PyTorch Geometric.

    Attributes that have a row for each atom in every graph are quantities of atoms, all others of
    structures. A `y` of several numbers becomes `y[0]`, `y[1]`, ... Attributes of edges are left
    out.

    Args:
        data: graphs with atomic numbers `z` (atom,), positions `pos` (atom, 3) in Angstrom, if
            there are any `cell` (3, 3) or (1, 3, 3) and `pbc` (3,), and any quantities.

    Raises:
        ValueError: a graph has no `z` or `pos`, or a quantity has different shapes.
    """
    rows = [_values(index, one) for index, one in enumerate(data)]
    if not rows:
        raise ValueError("from_data needs one graph or more; got none.")
    sizes = np.array([len(row["z"]) for row in rows], dtype=np.int64)
    names = dict.fromkeys(name for row in rows for name in row if name not in _GEOMETRY)
    columns: dict[str, Column] = {}
    for name in names:
        there = np.array([index for index, row in enumerate(rows) if name in row])
        columns.update(_columns(name, there, [rows[index][name] for index in there], sizes))
    cell = np.array([row.get("cell", np.zeros((3, 3))).reshape(3, 3) for row in rows])
    pbc = np.array(cell.any(-1))
    for index, row in enumerate(rows):
        if "pbc" in row:
            pbc[index] = row["pbc"].reshape(-1)
    return Structures(
        np.concatenate([row["z"] for row in rows]).astype(np.int64),
        np.concatenate([row["pos"] for row in rows]).astype(np.float64),
        np.concatenate([[0], sizes.cumsum()]).astype(np.int64),
        cell.astype(np.float64),
        pbc,
        columns,
    )


def _values(index: int, data: Data) -> Values:
    """The attributes of one graph as arrays."""
    values: Values = {}
    for name, value in data.to_dict().items():
        if isinstance(value, torch.Tensor) and not name.startswith("edge"):
            values[name] = value.detach().cpu().numpy()
        elif isinstance(value, str | bool | int | float):
            values[name] = np.array(value)
    z = next((values[name].reshape(-1) for name in _NUMBERS if name in values), None)
    pos = values.get("pos")
    if z is None or pos is None or pos.shape != (len(z), 3):
        raise ValueError(
            f"graph {index} needs atomic numbers z (atom,) and positions pos (atom, 3); it has "
            f"{', '.join(f'{name} {value.shape}' for name, value in values.items())}."
        )
    return {**values, "z": z}


def _columns(
    name: str, rows: np.ndarray, values: Sequence[np.ndarray], sizes: np.ndarray
) -> dict[str, Column]:
    """The quantities of one attribute, which the graphs with the indices `rows` have."""
    lengths = np.array([value.shape[0] if value.ndim else 0 for value in values])
    # A row for each of one atom might be a row for the structure, unless larger ones have more.
    if (lengths == sizes[rows]).all() and (lengths > 1).any():
        ends = np.concatenate([[0], sizes.cumsum()])
        atoms = [np.arange(ends[row], ends[row + 1]) for row in rows]
        return {name: _column(name, values, "atom", np.concatenate(atoms), int(ends[-1]))}
    single = [value[0] if value.ndim and len(value) == 1 else value for value in values]
    column = _column(name, single, "structure", rows, len(sizes))
    if name != "y" or len(column.shape) != 1:
        return {name: column}
    return {
        f"y[{place}]": spread(column_of(numbers), rows, len(sizes))
        for place, numbers in enumerate(column.data[rows].T)
    }


def _column(
    name: str, values: Sequence[np.ndarray], per: Per, rows: np.ndarray, count: int
) -> Column:
    """A quantity of `count` rows from the values that some have."""
    shapes = {value.shape if per == "structure" else value.shape[1:] for value in values}
    if len(shapes) > 1:
        raise ValueError(
            f"{name} has values of the shapes {', '.join(map(str, sorted(shapes)))}; a quantity "
            "has one shape, or a row for each atom."
        )
    data = np.stack(values) if per == "structure" else np.concatenate(values)
    return spread(column_of(data, per), rows, count)
