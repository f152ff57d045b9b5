"""Structures from tables of SMILES or of names of files."""

from __future__ import annotations

import os
from pathlib import Path

from .failures import Failure
from .readers import read
from .readers.table import TableOptions, table_parts
from .structures import Structures, concatenate


def read_table(
    path: str | os.PathLike[str],
    key: str | None = None,
    conformers: int = 1,
    seed: int = 0,
    failures: list[Failure] | None = None,
) -> Structures:
    """Read a CSV, TSV or .smi whose rows have SMILES, or the names of files, and quantities.

    `read` does the same with the defaults. Of SMILES, positions are computed by `embed`, and the
    quantities of `from_smiles` are added. Names of files are relative to the table. A row that
    gives no structure is left out.

    Args:
        path: of the table. The first row has the names of the columns.
        key: the column of SMILES or files. By default it is one called `smiles` or `mol`, or else
            `file` or `path`, in upper or lower case.
        conformers: how many to compute of each SMILES. All have the quantities of their row.
        seed: of the conformers.
        failures: a list to which rows that were left out are appended; without it, a
            `FailureWarning` names them.

    Raises:
        ImportError: there are SMILES and RDKit is not installed.
        ReadError: there is no such column, or no row gives a structure.
    """
    options = TableOptions(key, conformers, seed)
    return concatenate(table_parts(Path(path), read, options, failures))
