"""Structures as a table of arrays, for archives of numpy and for the cache."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np

from .columns import Column
from .structures import Structures

MARK = "steerable_structures"  # the array that says what the archive is
_FIELDS = ("z", "pos", "ends", "cell", "pbc", "source", "frame")


def to_table(structures: Structures) -> dict[str, np.ndarray]:
    """The arrays of structures by name; `steerable_structures` describes the columns as JSON."""
    table = {name: getattr(structures, name) for name in _FIELDS}
    listed = []
    for k, (name, column) in enumerate(structures.columns.items()):
        listed.append({"name": name, "per": column.per, "unit": column.unit})
        table[f"data{k}"] = column.data
        if column.known is not None:
            table[f"known{k}"] = column.known
    return {MARK: np.array(json.dumps({"columns": listed})), **table}


def from_table(table: Mapping[str, np.ndarray]) -> Structures:
    """The structures of such a table.

    Raises:
        KeyError: an array is absent.
    """
    columns = {}
    for k, one in enumerate(json.loads(str(table[MARK]))["columns"]):
        is_known = table.get(f"known{k}")
        columns[one["name"]] = Column(table[f"data{k}"], one["per"], one["unit"], is_known)
    z, pos, ends, cell, pbc, source, frame = [table[name] for name in _FIELDS]
    return Structures(z, pos, ends, cell, pbc, columns, source, frame)
