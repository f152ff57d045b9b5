"""CSV, TSV and .smi: tables of SMILES or of names of files, with a quantity in each column."""

from __future__ import annotations

import os.path
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from ..assemble import PART, assemble
from ..columns import Column
from ..errors import ReadError
from ..failures import Failure, FailureWarning
from ..molecules import from_smiles
from ..structures import Structures, concatenate
from .cells import NOTHING, Kind, column, common_kind, kind_of
from .rows import read_rows

# Names of columns, in lower case, that are looked for in this order.
_SMILES = ("smiles", "canonical_smiles", "isomeric_smiles", "smi", "mol")
_FILES = ("file", "filename", "file_name", "path", "structure")

ReadFile = Callable[[Path], Structures]


@dataclass(frozen=True)
class TableOptions:
    """How the rows of a table become structures.

    Args:
        key: the column of SMILES or of files; by default it follows from the names.
        conformers: how many to compute of each SMILES. All have the quantities of their row.
        seed: of the conformers.
    """

    key: str | None = None
    conformers: int = 1
    seed: int = 0


def table_parts(
    path: Path,
    read_file: ReadFile,
    options: TableOptions | None = None,
    failures: list[Failure] | None = None,
) -> Iterator[Structures]:
    """The structures of a table, part by part.

    Args:
        path: of the table.
        read_file: reads a file that the table names.
        options: how rows become structures.
        failures: a list to which rows that were left out are appended; without it, a warning names
            them.

    Raises:
        ImportError: there are SMILES and RDKit is not installed.
        ReadError: there is no column of SMILES or files, or no row gives a structure.
    """
    options = options or TableOptions()
    table = _survey(path, options.key)
    lost: list[Failure] = []
    rows = enumerate(islice(read_rows(path), 1, None))
    while part := list(islice(rows, PART)):
        structures = _part(table, part, read_file, options, lost)
        if len(structures):
            yield structures
    lost.sort(key=lambda failure: failure.row)
    if len(lost) == table.count:
        raise ReadError(
            f"{path}: no row gives a structure, such as {lost[0]}"
            if lost
            else f"{path}: there are no rows below the names of the columns."
        )
    if failures is not None:
        failures.extend(lost)
    elif lost:
        warnings.warn(FailureWarning(str(path), table.count, lost), stacklevel=2)


@dataclass(frozen=True)
class _Table:
    """What is in a whole table, before its structures are read."""

    path: Path
    kinds: dict[str, Kind]
    key: int
    is_smiles: bool
    count: int


def _survey(path: Path, key: str | None) -> _Table:
    rows = read_rows(path)
    names = next(rows)
    place = names.index(_key_column(path, names, key))
    kinds = dict.fromkeys(names, NOTHING)
    count, is_files = 0, names[place].lower() in _FILES
    for count, row in enumerate(rows, start=1):
        if count == 1 and len(row) > place:
            is_files |= os.path.isfile(path.parent / row[place])
        if len(row) == len(names):
            for name, text in zip(names, row, strict=True):
                kinds[name] = common_kind(kinds[name], kind_of(text))
    return _Table(path, kinds, place, not is_files, count)


def _key_column(path: Path, names: Sequence[str], key: str | None) -> str:
    """The name of the column of SMILES or files."""
    if key is not None and key not in names:
        raise ReadError(f"{path}: there is no column {key!r}; there are {', '.join(names)}.")
    if key is not None:
        return key
    lower = [name.lower() for name in names]
    for word in (*_SMILES, *_FILES):
        if word in lower:
            return names[lower.index(word)]
    raise ReadError(
        f"{path}: no column is called smiles or file; there are {', '.join(names)}. Rename the "
        "column of SMILES or of names of files, or say which one it is."
    )


def _part(
    table: _Table,
    part: Sequence[tuple[int, list[str]]],
    read_file: ReadFile,
    options: TableOptions,
    lost: list[Failure],
) -> Structures:
    """The structures of some rows, with the quantities in their columns."""
    whole = []
    for frame, row in part:
        if len(row) == len(table.kinds):
            whole.append((frame, row))
        else:
            reason = f"there are {len(row)} columns instead of {len(table.kinds)}."
            lost.append(Failure(frame, " ".join(row)[:60], reason))
    keys = [row[table.key] for _, row in whole]
    failures: list[Failure] = []
    if table.is_smiles:
        structures = from_smiles(keys, options.conformers, options.seed, failures)
    else:
        structures = _from_files(table.path, keys, read_file, failures)
    frames = np.array([frame for frame, _ in whole], dtype=np.int64)
    lost += [replace(failure, row=int(frames[failure.row])) for failure in failures]
    index = structures.frame  # of the row in this part
    columns = dict(structures.columns)
    for place, (name, kind) in enumerate(table.kinds.items()):
        if place != table.key:
            columns[name] = column([row[place] for _, row in whole], kind).take(index)
    if "name" not in columns:
        columns["name"] = Column(np.array(keys, dtype=str)[index])
    source = np.full(len(structures), table.path.name)
    return replace(structures, columns=columns, source=source, frame=frames[index])


def _from_files(
    path: Path, names: Sequence[str], read_file: ReadFile, failures: list[Failure]
) -> Structures:
    """The structures of all files that are named relative to a table."""
    parts = []
    for row, name in enumerate(names):
        if not name:
            failures.append(Failure(row, name, "there is no name of a file."))
            continue
        try:
            part = read_file(path.parent / name)
        except (ReadError, OSError) as error:
            failures.append(Failure(row, name, str(error)))
            continue
        group = Column(np.full(len(part), name))
        part = part.with_columns({**part.columns, "group": group})
        parts.append(replace(part, frame=np.full(len(part), row)))
    return concatenate(parts) if parts else assemble([], [], {}, "", [])
