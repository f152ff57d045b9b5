"""Clebsch-Gordan tensors: bases of the equivariant bilinear maps between irreps."""

from __future__ import annotations

import numpy as np

from .closure import Array, GroupError
from .intertwiners import intertwiners
from .irreps import Irrep
from .representation import Product, three_j


def coupling(left: Irrep, right: Irrep, out: Irrep) -> Array:
    """An orthonormal basis of Hom_G(left (x) right, out).

    O(3) and SO(3) have a closed form, the 3j symbols; other groups solve `intertwiners`. Each basis
    element has Frobenius norm 1 and a positive first entry.

    Returns:
        (path, out.dim, left.dim, right.dim); path is 0 where no equivariant product exists.

    Raises:
        GroupError: irreps of different groups.
    """
    group = left.group
    if not group == right.group == out.group:
        raise GroupError(f"A coupling joins irreps of one group; got {left}, {right} and {out}.")
    if group.dim == 3 and group.identity_component == "full":
        return _three_j_coupling(left, right, out)
    basis = intertwiners(Product(left, right), out)
    return basis.reshape(-1, out.dim, left.dim, right.dim)


def _three_j_coupling(left: Irrep, right: Irrep, out: Irrep) -> Array:
    degrees = left.harmonic.degree, right.harmonic.degree, out.harmonic.degree
    parity = left.harmonic.parity * right.harmonic.parity * out.harmonic.parity
    allowed = abs(degrees[0] - degrees[1]) <= degrees[2] <= degrees[0] + degrees[1]
    if not allowed or (left.group.has_reflections and parity < 0):
        return np.zeros((0, out.dim, left.dim, right.dim))
    tensor = three_j(*degrees).transpose(2, 0, 1)
    first = tensor.flat[np.flatnonzero(np.abs(tensor) > 1e-8)[0]]
    return tensor[None] * np.sign(first)
