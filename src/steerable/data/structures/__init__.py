"""Structures of atoms with their labels."""

from .columns import Column
from .errors import ReadError
from .readers import read, read_parts
from .structures import MissingColumnError, Structures, concatenate

__all__ = [
    "Column",
    "MissingColumnError",
    "ReadError",
    "Structures",
    "concatenate",
    "read",
    "read_parts",
]
