"""Structures of atoms with their labels."""

from .atoms import from_atoms, to_atoms
from .columns import Column
from .errors import ReadError
from .failures import Failure, FailureWarning
from .graphs import from_data
from .molecules import from_smiles
from .readers import read, read_parts
from .structures import MissingColumnError, Structures, concatenate
from .tables import read_table

__all__ = [
    "Column",
    "Failure",
    "FailureWarning",
    "MissingColumnError",
    "ReadError",
    "Structures",
    "concatenate",
    "from_atoms",
    "from_data",
    "from_smiles",
    "read",
    "read_parts",
    "read_table",
    "to_atoms",
]
