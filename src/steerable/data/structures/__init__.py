"""Structures of atoms with their labels."""

from .columns import Column
from .contacts import close_pairs
from .domain import Domain, differences, domain_of, multiplicity, total_charge
from .structures import MissingColumnError, Structures, concatenate
from .targets import Target

__all__ = [
    "Column",
    "Domain",
    "MissingColumnError",
    "Structures",
    "Target",
    "close_pairs",
    "concatenate",
    "differences",
    "domain_of",
    "multiplicity",
    "total_charge",
]
