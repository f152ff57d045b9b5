"""Predictions as a table for people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..predict import Predictions
from .writer import Writer, formulas, labels, texts


class TableWriter(Writer):
    """Aligned columns; those of later parts are as wide as those of the first.

    Vectors are in brackets, and notes are last. What does not fit in a row, tensors and values of
    atoms, is left out.
    """

    _widths: Sequence[int] = ()
    _names: Sequence[str] = ()

    def write(self, part: Predictions) -> None:
        if not len(part.structures):
            return
        columns = self._columns(part)
        if not self._widths:
            self._names = list(columns)
            self._widths = [max(map(len, [name, *rows])) for name, rows in columns.items()]
            self._line(self._names, "note" if any(part.notes) else "")
        table = zip(*(columns[name] for name in self._names), strict=True)
        for row, note in zip(table, part.notes, strict=True):
            self._line(row, note)

    def _columns(self, part: Predictions) -> dict[str, list[str]]:
        """The texts of each column by its title."""
        columns = {"index": [f"{index:5d}" for index in part.index.tolist()]}
        names = texts(part, "name")
        if any(names) or "name" in self._names:
            columns["name"] = names
        columns["formula"] = formulas(part)
        for name, title in labels(part).items():
            column = part.columns[name]
            if column.per == "structure" and column.shape in ((), (3,)):
                columns[title] = [_text(value) for value in column.data]
            elif not name.endswith("_probability"):
                self.left_out.add(name)
        return columns

    def _line(self, row: Sequence[str], note: str) -> None:
        padded = [text.ljust(width) for text, width in zip(row, self._widths, strict=True)]
        self.put("  ".join([*padded, note]).rstrip() + "\n")


def _text(value: object) -> str:
    if isinstance(value, np.ndarray):
        return "(" + ", ".join(_text(number) for number in value) + ")"
    return f"{value:.6f}" if isinstance(value, float) else str(value)
