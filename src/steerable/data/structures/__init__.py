"""Structures of atoms with their labels."""

from .columns import Column
from .contacts import close_pairs
from .domain import Domain, differences, domain_of, multiplicity, total_charge
from .errors import ReadError
from .failures import Failure, FailureWarning
from .molecules import from_smiles
from .readers import read, read_parts
from .structures import MissingColumnError, Structures, concatenate
from .tables import read_table
from .targets import Target

__all__ = [
    "Column",
    "Domain",
    "Failure",
    "FailureWarning",
    "MissingColumnError",
    "ReadError",
    "Structures",
    "Target",
    "close_pairs",
    "concatenate",
    "differences",
    "domain_of",
    "from_smiles",
    "multiplicity",
    "read",
    "read_parts",
    "read_table",
    "total_charge",
]
