"""SDF with a table beside it, as QM9 is published: gdb9.sdf and gdb9.sdf.csv."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from ..columns import Column
from ..errors import ReadError
from ..structures import Structures
from .cells import NOTHING, Kind, column, common_kind, kind_of
from .qm9 import UNITS
from .rows import read_rows
from .sdf import read_sdf

_MARK = "mol_id"  # the column that tells the table of QM9


def read_sdf_csv(path: Path) -> Iterator[Structures]:
    """Read X.sdf, and the quantities in X.sdf.csv if there is one: a row for each record.

    Args:
        path: of the SDF or of the table.

    Raises:
        ReadError: a record or the table is broken, or they have different numbers of rows.
    """
    name = path.name.removesuffix(".csv")
    sdf, table = path.with_name(name), path.with_name(f"{name}.csv")
    if not sdf.exists():
        raise ReadError(f"{path}: there is no {sdf.name} beside it.")
    if not table.exists():
        yield from read_sdf(sdf)
        return
    names, kinds, count = _survey(table)
    units = UNITS if _MARK in names else {}
    rows = islice(read_rows(table), 1, None)
    records = 0
    for part in read_sdf(sdf):
        values = list(islice(rows, len(part)))
        records += len(part)
        if len(values) < len(part):
            raise ReadError(f"{table} has {count} rows, and {sdf.name} more records.")
        columns: dict[str, Column] = dict(part.columns)
        for place, name in enumerate(names):
            texts = [row[place] for row in values]
            columns[name] = replace(column(texts, kinds[place]), unit=units.get(name, ""))
        yield part.with_columns(columns)
    if records < count:
        raise ReadError(f"{table} has {count} rows, and {sdf.name} {records} records.")


def _survey(table: Path) -> tuple[list[str], list[Kind], int]:
    """The names and kinds of the columns, and the number of rows."""
    rows = read_rows(table)
    names = next(rows)
    kinds = [NOTHING] * len(names)
    count = 0
    for count, row in enumerate(rows, start=1):
        if len(row) != len(names):
            raise ReadError(f"{table}: row {count - 1} has {len(row)} of {len(names)} columns.")
        kinds = [common_kind(kind, kind_of(text)) for kind, text in zip(kinds, row, strict=True)]
    return names, kinds, count
