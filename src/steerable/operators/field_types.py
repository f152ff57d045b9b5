"""Types of the inputs and outputs of operators: a Field, or any representation of a group."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch

from ..field import Field
from ..groups import Group, Irrep, Representation, Restricted, decompose
from .polynomial import Array

FieldType = Field | Representation


def matrices(kind: FieldType, elements: Array) -> Array:
    """The matrices (element, dim, dim) of group elements (element, d, d)."""
    if isinstance(kind, Field):
        result: Array = kind.matrix(torch.from_numpy(np.ascontiguousarray(elements))).numpy()
        return result
    return kind.matrices(elements)


def restrict(kind: FieldType, subgroup: Group) -> tuple[FieldType, Array]:
    """The restriction of a type to a subgroup, and the change of basis of its features.

    Returns:
        The type, and the orthogonal matrix (dim, dim) that maps old features to new ones.
    """
    if isinstance(kind, Field):
        restriction = kind.restrict(subgroup)
        return restriction.field, restriction.matrix.numpy()
    return Restricted(subgroup, kind), np.eye(kind.dim)


@cache
def irreducible_parts(kind: FieldType) -> list[tuple[Irrep, Array]]:
    """Irreps and isometries Q (dim, irrep.dim), one pair for each time that an irrep occurs.

    Side by side the isometries form an orthogonal matrix.
    """
    if not isinstance(kind, Field):
        return decompose(kind)
    copies: list[Irrep] = []
    for term in kind:
        copies += [term.irrep] * term.multiplicity
    starts = np.cumsum([0] + [irrep.dim for irrep in copies])[:-1]
    whole = np.eye(kind.dim)
    return [(irrep, whole[:, a : a + irrep.dim]) for irrep, a in zip(copies, starts, strict=True)]
