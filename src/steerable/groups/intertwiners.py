"""Orthonormal bases of the linear maps that commute with a group."""

from __future__ import annotations

from functools import cache

import numpy as np

from .closure import Array, GroupError
from .representation import Representation

_ZERO = 1e-8


def intertwiners(rep_in: Representation, rep_out: Representation) -> Array:
    """An orthonormal basis of Hom_G(in, out) = {X : rho_out(g) X = X rho_in(g) for all g}.

    The basis depends only on the two representations: the null space of the constraints is brought
    to reduced row echelon form and orthonormalised in that order, and the first entry of every
    element is made positive. It is computed in float64 by elimination (without BLAS, so the number
    of threads does not change it) and cached.

    Args:
        rep_in: representation of dimension `in`.
        rep_out: representation of dimension `out`, of the same group.

    Returns:
        (map, out, in), read-only, with Frobenius inner products <X_a, X_b> = delta_ab; map may be
        0.

    Raises:
        GroupError: the representations belong to different groups.
    """
    if rep_in.group != rep_out.group:
        raise GroupError(
            f"Intertwiners need representations of one group; got {rep_in.group} and "
            f"{rep_out.group}. Restrict the larger one first."
        )
    return _solve(rep_in, rep_out)


@cache
def _solve(rep_in: Representation, rep_out: Representation) -> Array:
    generators = rep_in.group.generators
    a, b = rep_out.matrices(generators), rep_in.matrices(generators)
    m, n = rep_out.dim, rep_in.dim
    # a X = X b for every generator, as a matrix that acts on the entries X_jl: row (g, i, k) is the
    # entry (i, k) of a X - X b.
    left = np.einsum("gij,kl->gikjl", a, np.eye(n))
    right = np.einsum("ij,glk->gikjl", np.eye(m), b)
    constraints = (left - right).reshape(-1, m * n)
    basis = orthonormal_rows(null_space(constraints)).reshape(-1, m, n)
    basis.flags.writeable = False
    return basis


def null_space(matrix: Array) -> Array:
    """Rows that span the null space of `matrix`, computed by elimination with full pivoting."""
    work = matrix.copy()
    columns = work.shape[1]
    free = np.ones(columns, dtype=bool)
    pivots: list[int] = []
    row = 0
    while row < len(work):
        block = np.abs(work[row:]) * free
        at = int(block.argmax())  # of the flattened block: its row and column follow by division
        i, j = row + at // columns, at % columns
        if block.flat[at] < _ZERO:
            break
        work[[row, i]] = work[[i, row]]
        work[row] /= work[row, j]
        others = np.flatnonzero(np.abs(work[:, j]) > 0)
        others = others[others != row]
        work[others] -= work[others, j : j + 1] * work[row]
        free[j] = False
        pivots.append(j)
        row += 1

    # One null vector for every column without a pivot: 1 there, and what cancels it at the pivots.
    rows = np.zeros((int(free.sum()), columns))
    rows[:, free] = np.eye(len(rows))
    rows[:, pivots] = -work[: len(pivots), free].T
    return rows


def orthonormal_rows(rows: Array) -> Array:
    """The orthonormal basis of the row space that depends only on the space.

    It is the reduced row echelon form, orthonormalised in order (Gram-Schmidt).
    """
    work = rows.copy()
    row = 0
    for j in range(work.shape[1]):
        if row == len(work):
            break
        i = row + int(np.abs(work[row:, j]).argmax())
        if abs(work[i, j]) < _ZERO:
            continue
        work[[row, i]] = work[[i, row]]
        work[row] /= work[row, j]
        for k in range(len(work)):
            if k != row:
                work[k] -= work[k, j] * work[row]
        row += 1

    work = np.where(np.abs(work[:row]) < 1e-14, 0.0, work[:row])
    for k in range(row):
        for _ in range(2):  # the second pass removes what rounding left behind
            for earlier in work[:k]:
                work[k] -= (work[k] * earlier).sum() * earlier
        work[k] /= np.sqrt((work[k] ** 2).sum())
        work[k] *= np.sign(work[k][np.flatnonzero(np.abs(work[k]) > _ZERO)[0]])
    return work
