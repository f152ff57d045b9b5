"""Structures of atoms with their labels."""

from .atoms import from_atoms, to_atoms
from .columns import Column
from .errors import ReadError
from .failures import Failure, FailureWarning
from .items import AtomBatch, AtomItems, neighbours_of, scalars
from .molecules import from_smiles
from .readers import read, read_parts
from .structures import MissingColumnError, Structures, concatenate
from .tables import read_table
from .targets import KINDS, Target, TargetError, find_target, target_values
from .writers import convert, write

__all__ = [
    "KINDS",
    "AtomBatch",
    "AtomItems",
    "Column",
    "Failure",
    "FailureWarning",
    "MissingColumnError",
    "ReadError",
    "Structures",
    "Target",
    "TargetError",
    "concatenate",
    "convert",
    "find_target",
    "from_atoms",
    "from_smiles",
    "neighbours_of",
    "read",
    "read_parts",
    "read_table",
    "scalars",
    "target_values",
    "to_atoms",
    "write",
]
