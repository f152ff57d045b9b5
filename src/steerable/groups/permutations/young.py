"""Young's orthogonal form: the irreps of the symmetric groups as matrices."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from ..closure import Array
from .permutations import as_permutations, inversions
from .tableaux import Integers, Partition, as_partition, standard_tableaux


class Adjacent(NamedTuple):
    """The exchanges s_k of neighbours k and k + 1 in one irrep, as sparse symmetric matrices.

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
    """The exchanges of neighbours in one irrep: 1/r on the diagonal, sqrt(1 - 1/r^2) off it.

    r = content(k + 1) - content(k), and the content of a box is its column minus its row.

    Source: James and Kerber, The Representation Theory of the Symmetric Group (1981), section 3.4.
    """
    rows = standard_tableaux(shape)
    count, n = rows.shape
    # The column of a number is how many smaller numbers stand in its row.
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

    They are products of exchanges of neighbours, as many as a permutation has inversions. In the
    order of `standard_tableaux` the restriction to the permutations that fix the last point is
    block diagonal.

    Args:
        shape: a partition of n, the name of the irrep.
        permutations: (p, n).

    Returns:
        (p, d, d), float64.

    Raises:
        GroupError: `shape` is not a partition, or a row is not a permutation.
    """
    shape = as_partition(shape)
    n = sum(shape)
    digits = inversions(as_permutations(permutations, n))
    exchanges = adjacent(shape)
    size = exchanges.partner.shape[1]
    result = np.tile(np.eye(size), (len(digits), 1, 1))
    # The digits write s as c_(n-1) .. c_1, where c_m moves point m down by digit m: a product of
    # that many exchanges of neighbours.
    for m in range(1, n):
        for k in range(m - 1, -1, -1):
            rows = np.flatnonzero(digits[:, m] >= m - k)
            result[rows] = exchanges.times(k, result[rows])
    return result
