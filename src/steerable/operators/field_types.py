"""The types of the fields that operators join.

A Field, or any representation such as `groups.regular(G)`.
"""

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
        found: Array = kind.matrix(torch.from_numpy(np.ascontiguousarray(elements))).numpy()
        return found
    return kind.matrices(elements)


def restrict(kind: FieldType, subgroup: Group) -> tuple[FieldType, Array]:
    """The same type under a subgroup, and the matrix that takes old features to new ones.

    The matrix (dim, dim) is orthogonal.
    """
    if isinstance(kind, Field):
        restriction = kind.restrict(subgroup)
        return restriction.field, restriction.matrix.numpy()
    return Restricted(subgroup, kind), np.eye(kind.dim)


@cache
def irreducible_parts(kind: FieldType) -> list[tuple[Irrep, Array]]:
    """Irreps and isometries Q (dim, irrep.dim), one for each time that an irrep occurs.

    Together orthogonal.
    """
    if not isinstance(kind, Field):
        return decompose(kind)
    copies = [term.irrep for term in kind for _ in range(term.multiplicity)]
    starts = np.cumsum([0] + [irrep.dim for irrep in copies])
    whole = np.eye(kind.dim)
    return [(irrep, whole[:, a : a + irrep.dim]) for irrep, a in zip(copies, starts, strict=False)]
