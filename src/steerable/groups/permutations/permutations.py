"""Permutations as arrays of indices: products, inverses, cycles, and numbers of cosets."""

from __future__ import annotations

from functools import cache
from math import factorial, prod

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from ..closure import CLOSE, Array, GroupError
from .tableaux import Integers, Partition, as_partition

MAX_SIZE = factorial(8)
"""The largest number of elements or cosets that is enumerated."""


def as_permutations(elements: ArrayLike | Tensor, n: int) -> Integers:
    """Permutations of n points as images (p, n): s[i] is the image of point i.

    Args:
        elements: integers (p, n), or permutation matrices (p, n, n) with P e_i = e_s[i].
        n: the number of points.

    Raises:
        GroupError: the shape does not fit, or a row is not a permutation of 0..n-1.
    """
    array = (
        elements.detach().cpu().numpy() if isinstance(elements, Tensor) else np.asarray(elements)
    )
    if array.ndim == 3 and array.shape[1:] == (n, n):
        images = array.argmax(axis=1)
        fits = np.abs(array - permutation_matrices(images)).max(axis=(1, 2), initial=0) < CLOSE
    elif array.ndim == 2 and array.shape[1] == n and (array.dtype.kind in "iu" or not array.size):
        images = array.astype(np.int64)
        fits = (np.sort(images, axis=1) == np.arange(n)).all(axis=1)
    else:
        raise GroupError(
            f"Permutations of {n} points are whole numbers (p, {n}) or matrices (p, {n}, {n}); got "
            f"{array.dtype} {array.shape}."
        )
    if not fits.all():
        bad = int(np.flatnonzero(~fits)[0])
        raise GroupError(f"Element {bad} is no permutation of 0..{n - 1}: {array[bad].tolist()}.")
    return images


def permutation_matrices(permutations: Integers) -> Array:
    """The matrices P (p, n, n) with P e_i = e_s[i] of permutations (p, n)."""
    # Row i of eye[s] is e_s[i], which is column i of P.
    return np.eye(permutations.shape[1])[permutations].transpose(0, 2, 1).copy()


def compose(left: Integers, right: Integers) -> Integers:
    """The products s t: i -> s(t(i)) of permutations (p, n)."""
    left, right = np.broadcast_arrays(left, right)
    return np.take_along_axis(left, right, axis=-1)


def inverse(permutations: Integers) -> Integers:
    """The inverses of permutations (p, n)."""
    return np.argsort(permutations, axis=-1)  # place j of the sorted images came from point i


def cycle_types(permutations: Integers) -> list[Partition]:
    """The lengths of the cycles of permutations (p, n), the longest first."""
    count, n = permutations.shape
    power = np.broadcast_to(np.arange(n), (count, n))
    cycles = np.zeros((count, n + 1), dtype=np.int64)
    # The power s^k fixes the points of all cycles whose length divides k. Without those of shorter
    # cycles this leaves k points for every cycle of length k.
    for k in range(1, n + 1):
        power = compose(permutations, power)
        shorter = [d for d in range(1, k) if k % d == 0]
        fixed = (power == np.arange(n)).sum(axis=1)
        cycles[:, k] = (fixed - cycles[:, shorter] @ np.array(shorter, dtype=np.int64)) // k
    # Repeat every length as often as it occurs, from the longest to the shortest.
    lengths = np.arange(n, 0, -1)
    return [tuple(np.repeat(lengths, row[lengths]).tolist()) for row in cycles]


def inversions(permutations: Integers, fixed: int = 0) -> Integers:
    """The inversion numbers of permutations (p, n), their digits.

    Digit m counts the points i < m with s[i] > s[m] and lies between 0 and m. If c denotes the
    cycle that maps m to m - digit and moves the points between up by one, then s = c s' where s'
    fixes m and all points above it. This follows the chain S_n > S_(n-1) > ... > S_1.

    Args:
        permutations: (p, n).
        fixed: the first digit to compute.

    Returns:
        (p, n - fixed).
    """
    columns = range(fixed, permutations.shape[1])
    digits = [(permutations[:, :m] > permutations[:, m, None]).sum(axis=1) for m in columns]
    # The reshape keeps both axes where there are no digits.
    return np.array(digits, dtype=np.int64).reshape(len(columns), len(permutations)).T


def _weights(n: int, fixed: int) -> Integers:
    """The weights m! / fixed! of the digits m >= fixed."""
    if prod(range(fixed + 1, n + 1)) > np.iinfo(np.int64).max:
        raise GroupError(
            f"The permutations of {n} points are too many to be numbered; at most 20! are."
        )
    return np.array([prod(range(fixed + 1, m + 1)) for m in range(fixed, n)], dtype=np.int64)


def places(permutations: Integers, fixed: int = 1) -> Integers:
    """The numbers (p,) of permutations: the sum over m >= fixed of digit_m m! / fixed!.

    The identity has number 0. Permutations with the same number form a coset s S_fixed, where
    S_fixed permutes the first `fixed` points.
    """
    n = permutations.shape[1]
    return inversions(permutations, fixed) @ _weights(n, fixed)


def permutations_at(numbers: Integers, n: int, fixed: int = 1) -> Integers:
    """The permutations (p, n) with the given numbers, the inverse of `places`.

    Of every coset s S_fixed this is the one whose first `fixed` images ascend.
    """
    digits = numbers[:, None] // _weights(n, fixed) % np.arange(fixed + 1, n + 1)
    images = np.empty((len(numbers), n), dtype=np.int64)
    unused = np.broadcast_to(np.arange(n), (len(numbers), n))
    # `unused` ascends, and digit m says how many of its values are larger than the image of m.
    for m in range(n - 1, fixed - 1, -1):
        at = m - digits[:, m - fixed, None]
        images[:, m] = np.take_along_axis(unused, at, axis=1)[:, 0]
        unused = unused[np.arange(m + 1) != at].reshape(len(numbers), m)
    images[:, :fixed] = unused
    return images


@cache
def cosets(parts: Partition) -> Integers:
    """One permutation (coset, n) of every coset s S_parts, ascending within every block.

    S_parts permutes the first parts[0] points among themselves, the next parts[1], and so on. A
    coset determines which points the blocks are mapped to, so it is a tabloid. The parts
    (1, ..., 1) list all permutations. The order is that of `places`.

    Raises:
        GroupError: `parts` is not a partition, or the first block alone has more than 40,320
            cosets.
    """
    n, fixed = sum(as_partition(parts)), parts[0]
    size = prod(range(fixed + 1, n + 1))
    if size > MAX_SIZE:
        raise GroupError(
            f"Listing the cosets of S_{parts} takes {n}!/{fixed}! = {size} permutations; at most "
            f"8! = {MAX_SIZE} are listed. Fix more points: a longer first part."
        )
    listed = permutations_at(np.arange(size), n, fixed)
    # Neighbours k, k + 1 of one block: all k but the last point of each block.
    ends = np.cumsum(parts)[:-1]
    inside = np.setdiff1d(np.arange(n - 1), ends - 1)
    ascending = listed[(listed[:, inside] < listed[:, inside + 1]).all(axis=1)]
    ascending.flags.writeable = False
    return ascending


def coset_numbers(permutations: Integers, parts: Partition) -> Integers:
    """The numbers (p,) of the cosets s S_parts in `cosets`."""
    blocks = np.split(permutations, np.cumsum(parts)[:-1], axis=1)
    ascending = np.concatenate([np.sort(block, axis=1) for block in blocks], axis=1)
    return np.searchsorted(places(cosets(parts), parts[0]), places(ascending, parts[0]))
