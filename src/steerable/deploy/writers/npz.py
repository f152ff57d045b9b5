"""Predictions as arrays of NumPy."""

from __future__ import annotations

import json

import numpy as np

from ..predict import Predictions
from .writer import Writer, formulas, texts


class NpzWriter(Writer):
    """Arrays by name, with rows for structures (structure, ..) or for all atoms (atom, ..).

    `atoms` is the number of atoms of each structure; `units` are the units by name, as JSON. The
    predictions are kept in memory until all are there.
    """

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self._parts: dict[str, list[np.ndarray]] = {}
        self._units: dict[str, str] = {}

    def write(self, part: Predictions) -> None:
        if not len(part.structures):
            return
        structures = part.structures
        arrays = {
            "index": part.index,
            "source": structures.source,
            "frame": structures.frame,
            "name": np.array(texts(part, "name")),
            "formula": np.array(formulas(part)),
            "atoms": structures.sizes,
            "note": np.array(part.notes),
        }
        for name, column in part.columns.items():
            arrays[name] = column.data
            self._units[name] = column.unit
        for name, array in arrays.items():
            self._parts.setdefault(name, []).append(array)

    def close(self) -> None:
        arrays = {name: np.concatenate(parts) for name, parts in self._parts.items()}
        arrays["units"] = np.array(json.dumps(self._units))
        np.savez(self.file, **arrays)  # type: ignore[arg-type]
