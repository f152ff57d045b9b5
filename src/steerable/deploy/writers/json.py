"""Predictions as JSON."""

from __future__ import annotations

import json
from typing import Any

from ..predict import Predictions
from .writer import Writer, formulas, plain, texts


class JsonWriter(Writer):
    """One object: what holds for all predictions, and then a list with an object for each item.

    Of a run on QM9 the object has the name as `target`, and each item has a `prediction`; of others
    it has `units`, and each item has `predictions` by name.
    """

    _is_open = False

    def write(self, part: Predictions) -> None:
        names, smiles = texts(part, "name"), texts(part, "smiles")
        values = {name: part.rows(name) for name in part.columns}
        for row, words in enumerate(formulas(part)):
            item: dict[str, Any] = {"index": int(part.index[row])}
            item |= {"name": names[row]} if names[row] else {}
            item |= {"smiles": smiles[row]} if smiles[row] else {}
            item["formula"] = words
            numbers = {name: plain(rows[row]) for name, rows in values.items()}
            item |= self._predictions(numbers)
            item |= {"note": part.notes[row]} if part.notes[row] else {}
            self._begin()
            self.put(f"\n    {json.dumps(item)}")

    def close(self) -> None:
        if not self._is_open:
            self._begin()
        self.put("\n  ]\n}\n")

    def _begin(self) -> None:
        """Write what is before an item: the heading, or a comma."""
        if self._is_open:
            self.put(",")
            return
        heading, first = self.heading, self.heading.targets[0]
        record: dict[str, Any] = {"runs": list(heading.runs)}
        if heading.is_plain:
            record |= {"target": first.name, "unit": first.unit}
        else:
            record |= {"units": {target.name: target.unit for target in heading.targets}}
        lines = [f"  {json.dumps(key)}: {json.dumps(value)},\n" for key, value in record.items()]
        self.put("{\n" + "".join(lines) + f"  {json.dumps(heading.items)}: [")
        self._is_open = True

    def _predictions(self, numbers: dict[str, Any]) -> dict[str, Any]:
        if not self.heading.is_plain:
            return {"predictions": numbers}
        name = self.heading.targets[0].name
        spread = {"std": numbers[f"{name}_std"]} if f"{name}_std" in numbers else {}
        return {"prediction": numbers[name], **spread}
