"""Structures of atoms with their labels."""

from .columns import Column
from .structures import MissingColumnError, Structures, concatenate

__all__ = ["Column", "MissingColumnError", "Structures", "concatenate"]
