"""Structures of atoms with their labels."""

from .atoms import from_atoms, to_atoms
from .columns import Column
from .errors import ReadError
from .readers import read, read_parts
from .structures import MissingColumnError, Structures, concatenate
from .writers import convert, write

__all__ = [
    "Column",
    "MissingColumnError",
    "ReadError",
    "Structures",
    "concatenate",
    "convert",
    "from_atoms",
    "read",
    "read_parts",
    "to_atoms",
    "write",
]
