"""Structures of atoms with their labels."""

from .amounts import Amount, Amounts
from .atoms import from_atoms, to_atoms
from .columns import Column
from .contacts import close_pairs
from .conversion import to_structures
from .domain import Domain, differences, domain_of, multiplicity, total_charge
from .duplicates import duplicates, shared_duplicates
from .errors import ReadError
from .failures import Failure, FailureWarning
from .graphs import from_data
from .items import AtomBatch, AtomItems, neighbours_of, scalars
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
from .targets import KINDS, Target, TargetError, find_target, target_values
from .writers import convert, write, write_extxyz_part

__all__ = [
    "KINDS",
    "Amount",
    "Amounts",
    "AtomBatch",
    "AtomItems",
    "Column",
    "Domain",
    "Failure",
    "FailureWarning",
    "MissingColumnError",
    "ReadError",
    "Structures",
    "Target",
    "TargetError",
    "close_pairs",
    "column_split",
    "concatenate",
    "convert",
    "differences",
    "domain_of",
    "duplicates",
    "find_target",
    "from_atoms",
    "from_data",
    "from_smiles",
    "group_labels",
    "group_split",
    "multiplicity",
    "neighbours_of",
    "random_split",
    "read",
    "read_parts",
    "read_table",
    "scaffold_split",
    "scalars",
    "shared_duplicates",
    "size_split",
    "target_values",
    "time_split",
    "to_atoms",
    "to_structures",
    "total_charge",
    "write",
    "write_extxyz_part",
]
