"""The predictions of a test with the identifiers of its items, and the items of largest error."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ase import Atoms
from ase.io import write as write_atoms
from ase.symbols import Symbols

from steerable.data.structures import Structures

from .data_record import Part
from .task import Table

WORST = 10  # items of largest error that are named


def identified(table: Table, part: Part | None) -> Table:
    """The table with the identifiers of its items in the first columns.

    They are the `index` in the data set, and the `name` and the `formula` of items that have them.

    Args:
        table: of predictions for the items of a test.
        part: these items; None, or one that the rows cannot belong to, leaves the table as it is.
    """
    items = _items(table, part)
    if part is None or items is None:
        return table
    columns: dict[str, Sequence[Any]] = {"index": part.index.tolist()}
    if part.names:
        columns["name"] = part.names
    if part.structures is not None:
        columns["formula"] = [formula(numbers) for numbers in part.structures.numbers()]
    identifiers = list(zip(*columns.values(), strict=True))
    rows = [(*identifiers[item], *row) for item, row in zip(items, table.rows, strict=True)]
    return table._replace(header=(*columns, *table.header), rows=rows)


def worst_items(table: Table, part: Part | None, count: int = WORST) -> list[dict[str, Any]]:
    """The items of the largest errors, the worst first; none where classes are predicted.

    An item with several rows counts by the worst of them.

    Returns:
        For each item: `item`, its number in the test; `true`, `predicted`, `error`, `unit`; and,
        where they are known, `index`, `name` and `formula`.
    """
    items = _items(table, part)
    if table.classes or part is None or items is None:
        return []
    largest: dict[int, tuple[float, float]] = {}
    for item, (true, predicted, *_) in zip(items, table.rows, strict=True):
        before = largest.get(item)
        if math.isnan(predicted - true):
            continue
        if before is None or abs(predicted - true) > abs(before[1] - before[0]):
            largest[item] = (true, predicted)
    order = sorted(largest, key=lambda item: -abs(largest[item][1] - largest[item][0]))
    unit = table.header[0].partition("[")[2].rstrip("]")
    return [_entry(part, item, *largest[item], unit) for item in order[:count]]


def _entry(part: Part, item: int, true: float, predicted: float, unit: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"item": item, "index": int(part.index[item])}
    if part.names:
        entry["name"] = part.names[item]
    if part.structures is not None:
        ends = part.structures.ends
        entry["formula"] = formula(part.structures.z[ends[item] : ends[item + 1]])
    return entry | {
        "true": true,
        "predicted": predicted,
        "error": predicted - true,
        "unit": unit,
    }


def worst_frames(worst: Iterable[Mapping[str, Any]], structures: Structures) -> str:
    """The structures of the worst items as extended XYZ, with what is known of each."""
    frames = []
    for entry in worst:
        item = entry["item"]
        atoms = slice(structures.ends[item], structures.ends[item + 1])
        frames.append(
            Atoms(
                numbers=structures.z[atoms],
                positions=structures.pos[atoms],
                cell=structures.cell[item],
                pbc=structures.pbc[item],
                info={key: value for key, value in entry.items() if key != "item"},
            )
        )
    text = io.StringIO()
    write_atoms(text, frames, format="extxyz")
    return text.getvalue()


def formula(numbers: Any) -> str:
    """The chemical formula of atomic numbers (atom,), in Hill's order."""
    return Symbols(numbers).get_chemical_formula()


def to_csv(table: Table) -> str:
    """The table as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.header)
    for row in table.rows:
        writer.writerow([f"{x:.9g}" if isinstance(x, float) else x for x in row])
    return text.getvalue()


def _items(table: Table, part: Part | None) -> Sequence[int] | None:
    """The number of the item of each row; None where it is not known."""
    if table.items is not None:
        return table.items
    return range(len(table.rows)) if part and len(part) == len(table.rows) else None
