"""Young's orthogonal form: the irreps of the symmetric groups as matrices."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from ..closure import Array
from .permutations import as_permutations, inversions
from .tableaux import Integers, Partition, as_partition, standard_tableaux


class Adjacent(NamedTuple):
    """The exchanges s_k of neighbours k and k + 1 in one irrep, each a sparse symmetric matrix.

    s_k v_t = diagonal[k, t] v_t + across[k, t] v_u, where the tableau u = partner[k, t] is t with k
    and k + 1 exchanged.
    """

    diagonal: Array
    across: Array
    partner: Integers

    def times(self, k: int, matrices: Array) -> Array:
        """The products s_k M with matrices (..., d, columns)."""
        swapped = matrices[..., self.partner[k], :]
        return self.diagonal[k, :, None] * matrices + self.across[k, :, None] * swapped


@cache
def adjacent(shape: Partition) -> Adjacent:
    """The exchanges of neighbours: 1/r on the diagonal and sqrt(1 - 1/r^2) across.

    r = content(k+1) - content(k).

    The content of a box is its column less its row.

    Source: James and Kerber, The Representation Theory of the Symmetric Group (1981), section 3.4.
    """
    rows = standard_tableaux(shape)
    count, n = rows.shape
    columns = sum((rows == row) * ((rows == row).cumsum(axis=1) - 1) for row in range(len(shape)))
    inverse_distance = 1 / np.diff(columns - rows, axis=1).T
    across = np.sqrt(1 - inverse_distance**2)
    place = {row.tobytes(): t for t, row in enumerate(rows)}
    partner = np.tile(np.arange(count), (n - 1, 1))
    for k, t in np.argwhere(across > 0):
        swapped = rows[t].copy()
        swapped[[k, k + 1]] = rows[t, [k + 1, k]]
        partner[k, t] = place[swapped.tobytes()]
    return Adjacent(inverse_distance, across, partner)


def orthogonal_form(shape: Partition, permutations: Integers) -> Array:
    """The orthogonal matrices rho(s) of one irrep, with rho(s t) = rho(s) rho(t).

    Every permutation is the product of as many exchanges of neighbours as it has inversions. In the
    order of `standard_tableaux` the restriction to the permutations that fix the last point is
    block diagonal.

    Args:
        shape: a partition of n, the name of the irrep.
        permutations: (p, n).

    Returns:
        (p, d, d), float64.

    Raises:
        GroupError: no partition, or rows that are no permutations.
    """
    shape = as_partition(shape)
    n = sum(shape)
    digits = inversions(as_permutations(permutations, n))
    exchanges = adjacent(shape)
    size = exchanges.partner.shape[1]
    result = np.tile(np.eye(size), (len(digits), 1, 1))
    for m in range(1, n):
        for k in range(m - 1, -1, -1):
            rows = np.flatnonzero(digits[:, m] >= m - k)
            result[rows] = exchanges.times(k, result[rows])
    return result
