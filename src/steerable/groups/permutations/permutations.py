"""Permutations as arrays of indices.

What they are, their products, and how they and their cosets are numbered.
"""

from __future__ import annotations

from functools import cache
from math import factorial, prod

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from ..closure import CLOSE, Array, GroupError
from .tableaux import Integers, Partition, as_partition

MAX_SIZE = factorial(8)
"""The most elements or cosets that are listed."""


def as_permutations(elements: ArrayLike | Tensor, n: int) -> Integers:
    """Permutations of n points as images (p, n): s[i] is where point i goes.

    Args:
        elements: whole numbers (p, n), or permutation matrices (p, n, n) with P e_i = e_s[i].
        n: the number of points.

    Raises:
        GroupError: another shape, or rows that are no permutations of 0..n-1.
    """
    given = (
        elements.detach().cpu().numpy() if isinstance(elements, Tensor) else np.asarray(elements)
    )
    if given.ndim == 3 and given.shape[1:] == (n, n):
        images = given.argmax(axis=1)
        fits = np.abs(given - permutation_matrices(images)).max(axis=(1, 2), initial=0) < CLOSE
    elif given.ndim == 2 and given.shape[1] == n and (given.dtype.kind in "iu" or not given.size):
        images = given.astype(np.int64)
        fits = (np.sort(images, axis=1) == np.arange(n)).all(axis=1)
    else:
        raise GroupError(
            f"Permutations of {n} points are whole numbers (p, {n}) or matrices (p, {n}, {n}); got "
            f"{given.dtype} {given.shape}."
        )
    if not fits.all():
        bad = int(np.flatnonzero(~fits)[0])
        raise GroupError(f"Element {bad} is no permutation of 0..{n - 1}: {given[bad].tolist()}.")
    return images


def permutation_matrices(permutations: Integers) -> Array:
    """The matrices P (p, n, n) with P e_i = e_s[i] of permutations (p, n)."""
    return np.eye(permutations.shape[1])[permutations].transpose(0, 2, 1).copy()


def compose(left: Integers, right: Integers) -> Integers:
    """The products s t: i -> s(t(i)) of permutations (p, n)."""
    left, right = np.broadcast_arrays(left, right)
    return np.take_along_axis(left, right, axis=-1)


def inverse(permutations: Integers) -> Integers:
    """The inverses of permutations (p, n)."""
    return np.argsort(permutations, axis=-1)


def cycle_types(permutations: Integers) -> list[Partition]:
    """The lengths of the cycles of permutations (p, n), the longest first.

    A power s^k fixes the points of the cycles whose length divides k.
    """
    count, n = permutations.shape
    power = np.broadcast_to(np.arange(n), (count, n))
    cycles = np.zeros((count, n + 1), dtype=np.int64)
    for k in range(1, n + 1):
        power = compose(permutations, power)
        shorter = [d for d in range(1, k) if k % d == 0]
        fixed = (power == np.arange(n)).sum(axis=1)
        cycles[:, k] = (fixed - cycles[:, shorter] @ np.array(shorter, dtype=np.int64)) // k
    return [tuple(k for k in range(n, 0, -1) for _ in range(row[k])) for row in cycles.tolist()]


def inversions(permutations: Integers, fixed: int = 0) -> Integers:
    """The digits (p, n - fixed) of permutations.

    Digit m >= fixed counts the i < m with s[i] > s[m], from 0 to m.

    With c the cycle that takes m to m - digit and moves the points between up by one, s = c s'
    where s' fixes m and all points above it: the chain S_n > S_(n-1) > ... > S_1.
    """
    columns = range(fixed, permutations.shape[1])
    digits = [(permutations[:, :m] > permutations[:, m, None]).sum(axis=1) for m in columns]
    return np.array(digits, dtype=np.int64).reshape(len(columns), len(permutations)).T


def _weights(n: int, fixed: int) -> Integers:
    """The weights m! / fixed! of the digits m >= fixed."""
    if prod(range(fixed + 1, n + 1)) > np.iinfo(np.int64).max:
        raise GroupError(
            f"The permutations of {n} points are too many to be numbered; at most 20! are."
        )
    return np.array([prod(range(fixed + 1, m + 1)) for m in range(fixed, n)], dtype=np.int64)


def places(permutations: Integers, fixed: int = 1) -> Integers:
    """The numbers (p,) of permutations, sum over m >= fixed of digit_m m! / fixed!.

    The identity is 0.

    The permutations with the same number are a coset s S_fixed, where S_fixed permutes the first
    points.
    """
    n = permutations.shape[1]
    return inversions(permutations, fixed) @ _weights(n, fixed)


def permutations_at(numbers: Integers, n: int, fixed: int = 1) -> Integers:
    """The permutations (p, n) with these places.

    Of every coset s S_fixed the one that is ascending up to `fixed`.
    """
    digits = numbers[:, None] // _weights(n, fixed) % np.arange(fixed + 1, n + 1)
    images = np.empty((len(numbers), n), dtype=np.int64)
    left = np.broadcast_to(np.arange(n), (len(numbers), n))
    for m in range(
        n - 1, fixed - 1, -1
    ):  # of the values left, ascending, digit m are larger than the image of m
        at = m - digits[:, m - fixed, None]
        images[:, m] = np.take_along_axis(left, at, axis=1)[:, 0]
        left = left[np.arange(m + 1) != at].reshape(len(numbers), m)
    images[:, :fixed] = left
    return images


@cache
def cosets(parts: Partition) -> Integers:
    """One permutation (coset, n) of every coset s S_parts, ascending within every block.

    They are in the order of `places`.

    S_parts permutes the first parts[0] points among themselves, the next parts[1], and so on. The
    coset says which points the blocks go to, so it is a tabloid; (1, ..., 1) lists all
    permutations.

    Raises:
        GroupError: no partition, or more than 40,320 cosets of the first block alone.
    """
    n, fixed = sum(as_partition(parts)), parts[0]
    size = prod(range(fixed + 1, n + 1))
    if size > MAX_SIZE:
        raise GroupError(
            f"Listing the cosets of S_{parts} takes {n}!/{fixed}! = {size} permutations; at most "
            f"8! = {MAX_SIZE} are listed. Fix more points: a longer first part."
        )
    listed = permutations_at(np.arange(size), n, fixed)
    ends = np.cumsum(parts)[:-1]
    inside = np.setdiff1d(np.arange(n - 1), ends - 1)
    chosen = listed[(listed[:, inside] < listed[:, inside + 1]).all(axis=1)]
    chosen.flags.writeable = False
    return chosen


def coset_numbers(permutations: Integers, parts: Partition) -> Integers:
    """The numbers (p,) of the cosets s S_parts in `cosets`."""
    blocks = np.split(permutations, np.cumsum(parts)[:-1], axis=1)
    ascending = np.concatenate([np.sort(block, axis=1) for block in blocks], axis=1)
    return np.searchsorted(places(cosets(parts), parts[0]), places(ascending, parts[0]))
