"""Structures of atoms with their labels."""

from .amounts import Amount, Amounts
from .atoms import from_atoms, to_atoms
from .columns import Column
from .duplicates import duplicates, shared_duplicates
from .errors import ReadError
from .failures import Failure, FailureWarning
from .graphs import from_data
from .molecules import from_smiles
from .readers import read, read_parts
from .splits import (
    column_split,
    group_labels,
    group_split,
    random_split,
    scaffold_split,
    size_split,
    time_split,
)
from .structures import MissingColumnError, Structures, concatenate
from .tables import read_table
from .writers import convert, write

__all__ = [
    "Amount",
    "Amounts",
    "Column",
    "Failure",
    "FailureWarning",
    "MissingColumnError",
    "ReadError",
    "Structures",
    "column_split",
    "concatenate",
    "convert",
    "duplicates",
    "from_atoms",
    "from_data",
    "from_smiles",
    "group_labels",
    "group_split",
    "random_split",
    "read",
    "read_parts",
    "read_table",
    "scaffold_split",
    "shared_duplicates",
    "size_split",
    "time_split",
    "to_atoms",
    "write",
]
