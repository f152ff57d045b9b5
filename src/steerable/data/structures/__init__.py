"""Structures of atoms with their labels."""

from .atoms import from_atoms, to_atoms
from .columns import Column
from .contacts import close_pairs
from .domain import Domain, differences, domain_of, multiplicity, total_charge
from .errors import ReadError
from .failures import Failure, FailureWarning
from .items import AtomBatch, AtomItems, neighbours_of, scalars
from .molecules import from_smiles
from .readers import read, read_parts
from .structures import MissingColumnError, Structures, concatenate
from .tables import read_table
from .targets import KINDS, Target, TargetError, find_target, target_values
from .writers import convert, write, write_extxyz_part

__all__ = [
    "KINDS",
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
    "concatenate",
    "convert",
    "differences",
    "domain_of",
    "find_target",
    "from_atoms",
    "from_smiles",
    "multiplicity",
    "neighbours_of",
    "read",
    "read_parts",
    "read_table",
    "scalars",
    "target_values",
    "to_atoms",
    "total_charge",
    "write",
    "write_extxyz_part",
]
