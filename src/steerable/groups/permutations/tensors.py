"""The linear maps R^(n^k) -> R^(n^l) of tensors that commute with permutations of n points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import permutations as orders
from math import perm
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from ..closure import Array, GroupError
from .permutations import as_permutations, permutation_matrices
from .symmetric import SymmetricGroup, YoungSubgroup
from .tableaux import Integers, Partition, kostka, partitions_of_degree

TensorSymmetry = Literal["none", "symmetric", "antisymmetric"]
_MAX_ORDER = 8
_MAX_ENTRIES = 2**25


@cache
def set_partitions(points: int, blocks: int | None = None) -> Integers:
    """The ways (way, points) to part `points` points into at most `blocks` sets.

    A way is the number of every point's set.

    Sets are numbered in the order of their first points, and the ways are in lexicographic order.
    Without a limit there are Bell(points) of them: 1, 1, 2, 5, 15, 52, 203, 877, 4140.

    Raises:
        GroupError: more than 8 points.
    """
    if not 0 <= points <= _MAX_ORDER:
        raise GroupError(
            f"Tensors have up to {_MAX_ORDER} indices in all (4,140 patterns of equality); got "
            f"{points}."
        )
    ways: list[list[int]] = [[]]
    for _ in range(points):
        ways = [[*way, label] for way in ways for label in range(max(way, default=-1) + 2)]
    found = np.array(ways, dtype=np.int64).reshape(len(ways), points)
    found = found[found.max(axis=1, initial=-1) < (points if blocks is None else blocks)]
    found.flags.writeable = False
    return found


def pattern_weights(
    n: int,
    order_in: int,
    order_out: int,
    symmetry_in: TensorSymmetry = "none",
    symmetry_out: TensorSymmetry = "none",
) -> tuple[Integers, Array]:
    """The equivariant maps as weights of patterns, for any number of points at no cost.

    The entry X[i, j] of an equivariant map depends on which of the indices i_1 .. i_l, j_1 .. j_k
    are equal. With tensors that exchanges of indices leave, or multiply by -1, it is a signed sum
    over the patterns that these exchanges join.

    Args:
        n: the number of points.
        order_in: k, of the input R^(n^k).
        order_out: l, of the output R^(n^l).
        symmetry_in: what exchanges of the input's indices do.
        symmetry_out: what exchanges of the output's indices do.

    Returns:
        Patterns (pattern, l + k), as `set_partitions`, and orthonormal weights (map, pattern).

    Raises:
        GroupError: more than 8 indices, no points, or another symmetry.

    Source: Maron et al., Invariant and equivariant graph networks, ICLR 2019, arXiv:1812.09902.
    """
    if n < 1:
        raise GroupError(f"Tensors have at least one point; got n = {n}.")
    patterns = set_partitions(order_in + order_out, n)
    count = len(patterns)
    average = np.zeros((count, count))
    exchanges_in, exchanges_out = (
        _exchanges(order_in, symmetry_in),
        _exchanges(order_out, symmetry_out),
    )
    for out, sign_out in exchanges_out:
        for slots, sign_in in exchanges_in:
            moved = patterns[:, [*out, *(order_out + k for k in slots)]]
            average[_numbers(moved, n), np.arange(count)] += sign_in * sign_out
    average /= len(exchanges_in) * len(exchanges_out)
    size = np.diagonal(average)
    first = [j for j in np.flatnonzero(size > 0) if not average[:j, j].any()]
    return patterns, average[first] / np.sqrt(size[first, None])


def tensor_maps(
    n: int,
    order_in: int,
    order_out: int,
    symmetry_in: TensorSymmetry = "none",
    symmetry_out: TensorSymmetry = "none",
) -> Array:
    """An orthonormal basis of the linear maps R^(n^k) -> R^(n^l) that commute with S_n.

    The same as `intertwiners` of two TensorPowers, by counting instead of solving. Arguments as of
    `pattern_weights`.

    Returns:
        (map, n^l, n^k) with Frobenius inner products <X_a, X_b> = delta_ab.

    Raises:
        GroupError: as `pattern_weights`, or a basis of more than 2^25 entries.
    """
    patterns, weights = pattern_weights(n, order_in, order_out, symmetry_in, symmetry_out)
    entries = len(weights) * n ** (order_in + order_out)
    if entries > _MAX_ENTRIES:
        raise GroupError(
            f"The basis of the maps R^({n}^{order_in}) -> R^({n}^{order_out}) has {len(weights)} x "
            f"{n}^{order_in + order_out} = {entries} entries; at most {_MAX_ENTRIES}. Lower the "
            "order, or use pattern_weights, which does not grow with n."
        )
    sizes = np.array([perm(n, way.max(initial=-1) + 1) for way in patterns])
    indices = np.indices((n,) * (order_in + order_out)).reshape(order_in + order_out, -1).T
    return (weights / np.sqrt(sizes))[:, _numbers(indices, n)].reshape(
        len(weights), n**order_out, n**order_in
    )


@dataclass(frozen=True)
class TensorPower:
    """Tensors R^(n^k) of order k over n points, row-major.

    A permutation s takes entry (i, j, ..) to (s(i), s(j), ..).

    Args:
        n: the number of points.
        order: k.
    """

    n: int
    order: int

    @property
    def group(self) -> YoungSubgroup:
        """S_n."""
        return SymmetricGroup(self.n)

    @property
    def dim(self) -> int:
        return self.n**self.order

    def matrices(self, elements: ArrayLike | Tensor) -> Array:
        """Matrices (element, dim, dim) of permutations (element, n).

        The permutations may also be matrices (element, n, n).
        """
        images = as_permutations(elements, self.n)
        target = np.zeros((len(images), 1), dtype=np.int64)
        for _ in range(self.order):
            target = (target[:, :, None] * self.n + images[:, None]).reshape(len(images), -1)
        return permutation_matrices(target)

    def multiplicities(self) -> dict[Partition, int]:
        """How often every irrep occurs.

        Entries with one pattern of equality, of b sets, are the Young module M^(n - b, 1, ..., 1).
        """
        blocks = set_partitions(self.order, self.n).max(axis=1, initial=-1) + 1
        counts = {
            shape: sum(
                kostka(shape, (self.n - b,) * (b < self.n) + (1,) * b) for b in blocks.tolist()
            )
            for shape in partitions_of_degree(self.n, self.order)
        }
        return {shape: count for shape, count in counts.items() if count}


def _exchanges(order: int, symmetry: TensorSymmetry) -> list[tuple[tuple[int, ...], int]]:
    """The permutations of the indices of a tensor of that symmetry.

    Each comes with what it multiplies by.
    """
    if symmetry not in get_args(TensorSymmetry):
        raise GroupError(
            f"The symmetry of a tensor is one of {', '.join(get_args(TensorSymmetry))}; got "
            f"{symmetry!r}."
        )
    if symmetry == "none":
        return [(tuple(range(order)), 1)]
    signs = {
        slots: round(np.linalg.det(np.eye(order)[list(slots)])) for slots in orders(range(order))
    }
    return [(slots, sign if symmetry == "antisymmetric" else 1) for slots, sign in signs.items()]


def _numbers(words: Integers, n: int) -> Integers:
    """The pattern of every word (word, letter), as its place in `set_partitions`.

    A word has at most n different letters.
    """
    count, length = words.shape
    labels = np.zeros((count, length), dtype=np.int64)
    different = np.zeros(count, dtype=np.int64)
    for k in range(length):
        same = words[:, :k] == words[:, k, None]
        known = same.any(axis=1)
        earlier = (
            np.take_along_axis(labels, same.argmax(axis=1)[:, None], axis=1)[:, 0]
            if k
            else different
        )
        labels[:, k] = np.where(known, earlier, different)
        different = different + ~known
    digits = _MAX_ORDER ** np.arange(length)[::-1]
    return np.searchsorted(set_partitions(length, n) @ digits, labels @ digits)
