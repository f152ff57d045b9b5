"""Predictions as CSV."""

from __future__ import annotations

import csv
import io
import json

from ..predict import Predictions
from .writer import Writer, component_names, formulas, plain, texts


class CsvWriter(Writer):
    """A row for each structure, and a column for each number of a vector or tensor.

    Values of atoms are lists, as JSON has them, in one column.
    """

    _has_header = False

    def write(self, part: Predictions) -> None:
        if not len(part.structures):
            return
        structures = part.structures
        columns: dict[str, list[object]] = {
            "index": part.index.tolist(),
            "file": structures.source.tolist(),
            "frame": structures.frame.tolist(),
            "name": list(texts(part, "name")),
            "smiles": list(texts(part, "smiles")),
            "formula": list(formulas(part)),
        }
        for name, column in part.columns.items():
            unit = f" [{column.unit}]" if column.unit else ""
            if column.per == "atom":
                values = [json.dumps(plain(rows)) for rows in part.rows(name)]
                columns[f"{name}{unit}"] = list(values)
                continue
            flat = column.data.reshape(len(column), -1)
            for number, title in enumerate(component_names(part, name)):
                columns[f"{title}{unit}"] = flat[:, number].tolist()
        columns["note"] = list(part.notes)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if not self._has_header:
            writer.writerow(columns)
            self._has_header = True
        writer.writerows(zip(*columns.values(), strict=True))
        self.put(text.getvalue())
