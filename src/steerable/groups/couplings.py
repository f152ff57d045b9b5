"""Clebsch-Gordan tensors: bases of the equivariant bilinear maps between irreps."""

from __future__ import annotations

import numpy as np

from .closure import Array, GroupError
from .intertwiners import intertwiners
from .irreps import Irrep
from .representation import Product, three_j


def coupling(left: Irrep, right: Irrep, out: Irrep) -> Array:
    """An orthonormal basis of Hom_G(left (x) right, out).

    The basis has a closed form for O(3) and SO(3), the 3j symbols; for other groups it is solved by
    `intertwiners`. Each basis element has Frobenius norm 1 and a positive first entry.

    Args:
        left: irrep of the first argument of the bilinear map.
        right: irrep of the second argument.
        out: irrep of the result.

    Returns:
        (path, out.dim, left.dim, right.dim); path is 0 if there is no equivariant product.

    Raises:
        GroupError: the irreps belong to different groups.
    """
    group = left.group
    if not group == right.group == out.group:
        raise GroupError(f"A coupling needs irreps of one group; got {left}, {right} and {out}.")
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
    # The sign of a 3j symbol is a convention; `intertwiners` makes the first entry positive.
    first = tensor.flat[np.flatnonzero(np.abs(tensor) > 1e-8)[0]]
    return tensor[None] * np.sign(first)
