"""Structures from whatever the user has in Python."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .atoms import from_atoms
from .graphs import from_data
from .molecules import from_smiles
from .structures import Structures


def to_structures(items: Structures | Iterable[Any]) -> Structures:
    """Structures from a list of ASE's `Atoms`, of PyG's `Data`, or of SMILES.

    Args:
        items: one kind of these; `Structures` are returned as they are.

    Raises:
        TypeError: they are none of these.
        ValueError: there are none.
    """
    if isinstance(items, Structures):
        return items
    if isinstance(items, str) or not isinstance(items, Iterable):
        raise TypeError(f"Structures are made from a list; got {type(items).__name__}.")
    rows = list(items)
    if not rows:
        raise ValueError("Structures are made from one item or more; got an empty list.")
    first = rows[0]
    if hasattr(first, "numbers") and hasattr(first, "positions"):
        return from_atoms(rows)
    if hasattr(first, "pos") and hasattr(first, "z"):
        return from_data(rows)
    if isinstance(first, str):
        return from_smiles(rows)
    raise TypeError(
        "Structures are made from ASE's Atoms, from PyG's Data with z and pos, or from SMILES; got "
        f"{type(first).__name__}."
    )
