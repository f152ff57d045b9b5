"""Structures of atoms with their labels.

What is asked for is imported on first use: readers and searches need packages that load slowly.
"""

from typing import TYPE_CHECKING

from ...lazy import lazy

if TYPE_CHECKING:
    from .amounts import Amount, Amounts
    from .atoms import from_atoms, to_atoms
    from .columns import Column
    from .contacts import close_pairs
    from .conversion import to_structures
    from .domain import Domain, differences, domain_of, multiplicity, total_charge
    from .errors import ReadError
    from .failures import Failure, FailureWarning
    from .graphs import from_data
    from .items import AtomBatch, AtomItems, neighbours_of
    from .molecules import from_smiles
    from .readers import read, read_parts
    from .repeats import duplicates, shared_duplicates
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

__getattr__ = lazy(
    __name__,
    {
        "KINDS": ".targets",
        "Amount": ".amounts",
        "Amounts": ".amounts",
        "AtomBatch": ".items",
        "AtomItems": ".items",
        "Column": ".columns",
        "Domain": ".domain",
        "Failure": ".failures",
        "FailureWarning": ".failures",
        "MissingColumnError": ".structures",
        "ReadError": ".errors",
        "Structures": ".structures",
        "Target": ".targets",
        "TargetError": ".targets",
        "close_pairs": ".contacts",
        "column_split": ".splits",
        "concatenate": ".structures",
        "convert": ".writers",
        "differences": ".domain",
        "domain_of": ".domain",
        "duplicates": ".repeats",
        "find_target": ".targets",
        "from_atoms": ".atoms",
        "from_data": ".graphs",
        "from_smiles": ".molecules",
        "group_labels": ".splits",
        "group_split": ".splits",
        "multiplicity": ".domain",
        "neighbours_of": ".items",
        "random_split": ".splits",
        "read": ".readers",
        "read_parts": ".readers",
        "read_table": ".tables",
        "scaffold_split": ".splits",
        "scalars": ".items",
        "shared_duplicates": ".repeats",
        "size_split": ".splits",
        "target_values": ".targets",
        "time_split": ".splits",
        "to_atoms": ".atoms",
        "to_structures": ".conversion",
        "total_charge": ".domain",
        "write": ".writers",
        "write_extxyz_part": ".writers",
    },
)
