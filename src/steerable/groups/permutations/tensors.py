"""The linear maps of tensors R^(n^k) -> R^(n^l) that commute with permutations of n points."""

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
    """The partitions of a set of `points` points into at most `blocks` subsets.

    Subsets are numbered in the order of their first points. Without a limit there are Bell(points)
    partitions: 1, 1, 2, 5, 15, 52, 203, 877, 4140.

    Returns:
        (partition, points): the number of the subset that each point belongs to, in lexicographic
        order.

    Raises:
        GroupError: there are more than 8 points.
    """
    if not 0 <= points <= _MAX_ORDER:
        raise GroupError(
            f"Tensors have up to {_MAX_ORDER} indices in all (4,140 patterns of equality); got "
            f"{points}."
        )
    ways: list[list[int]] = [[]]
    for _ in range(points):  # every further point joins one of the subsets or opens a new one
        ways = [[*way, label] for way in ways for label in range(max(way, default=-1) + 2)]
    labels = np.array(ways, dtype=np.int64).reshape(len(ways), points)
    labels = labels[labels.max(axis=1, initial=-1) < (points if blocks is None else blocks)]
    labels.flags.writeable = False
    return labels


def pattern_weights(
    n: int,
    order_in: int,
    order_out: int,
    symmetry_in: TensorSymmetry = "none",
    symmetry_out: TensorSymmetry = "none",
) -> tuple[Integers, Array]:
    """The equivariant maps as weights of index patterns, at a cost independent of n.

    The entry X[i, j] of an equivariant map depends only on which of the indices i_1 .. i_l,
    j_1 .. j_k are equal. For symmetric or antisymmetric tensors it is a signed sum over the
    patterns that exchanges of indices map to each other.

    Args:
        n: the number of points.
        order_in: k, of the input R^(n^k).
        order_out: l, of the output R^(n^l).
        symmetry_in: the symmetry of the input under exchanges of its indices.
        symmetry_out: the symmetry of the output under exchanges of its indices.

    Returns:
        Patterns (pattern, l + k), as in `set_partitions`, and orthonormal weights (map, pattern).

    Raises:
        GroupError: there are more than 8 indices or no points, or the symmetry is unknown.

    Source: Maron et al., Invariant and equivariant graph networks, ICLR 2019, arXiv:1812.09902.
    """
    if n < 1:
        raise GroupError(f"Tensors have at least one point; got n = {n}.")
    patterns = set_partitions(order_in + order_out, n)
    count = len(patterns)
    average = np.zeros((count, count))
    exchanges_in = _exchanges(order_in, symmetry_in)
    exchanges_out = _exchanges(order_out, symmetry_out)
    for out, sign_out in exchanges_out:
        for slots, sign_in in exchanges_in:
            permuted = patterns[:, [*out, *(order_out + k for k in slots)]]
            average[_numbers(permuted, n), np.arange(count)] += sign_in * sign_out
    average /= len(exchanges_in) * len(exchanges_out)

    # `average` projects onto the weights with the symmetry. Its rows are equal up to sign within an
    # orbit of patterns and orthogonal otherwise: the first row of every orbit is a basis.
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

    It spans the same maps as `intertwiners` of two TensorPowers, but is written down without
    solving equations. The arguments are those of `pattern_weights`.

    Returns:
        (map, n^l, n^k) with Frobenius inner products <X_a, X_b> = delta_ab.

    Raises:
        GroupError: as in `pattern_weights`, or the basis has more than 2^25 entries.
    """
    patterns, weights = pattern_weights(n, order_in, order_out, symmetry_in, symmetry_out)
    entries = len(weights) * n ** (order_in + order_out)
    if entries > _MAX_ENTRIES:
        raise GroupError(
            f"The basis of the maps R^({n}^{order_in}) -> R^({n}^{order_out}) has {len(weights)} x "
            f"{n}^{order_in + order_out} = {entries} entries; at most {_MAX_ENTRIES}. Lower the "
            "order, or use pattern_weights, which does not grow with n."
        )
    # A pattern with b different indices has n (n - 1) .. (n - b + 1) entries.
    sizes = np.array([perm(n, way.max(initial=-1) + 1) for way in patterns])
    indices = np.indices((n,) * (order_in + order_out)).reshape(order_in + order_out, -1).T
    return (weights / np.sqrt(sizes))[:, _numbers(indices, n)].reshape(
        len(weights), n**order_out, n**order_in
    )


@dataclass(frozen=True)
class TensorPower:
    """Tensors R^(n^k) of order k over n points, row-major.

    A permutation s moves entry (i, j, ..) to (s(i), s(j), ..).

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
        """Matrices (element, dim, dim) of permutations (element, n) or their matrices."""
        images = as_permutations(elements, self.n)
        target = np.zeros((len(images), 1), dtype=np.int64)
        for _ in range(self.order):  # appends one digit, base n, to the row-major index
            target = (target[:, :, None] * self.n + images[:, None]).reshape(len(images), -1)
        return permutation_matrices(target)

    def multiplicities(self) -> dict[Partition, int]:
        """The multiplicity of every irrep that occurs."""
        # The entries with one pattern of b different indices form the Young module
        # M^(n - b, 1, ..., 1).
        blocks = set_partitions(self.order, self.n).max(axis=1, initial=-1) + 1
        modules = [(self.n - b,) * (b < self.n) + (1,) * b for b in blocks.tolist()]
        counts = {}
        for shape in partitions_of_degree(self.n, self.order):
            if count := sum(kostka(shape, module) for module in modules):
                counts[shape] = count
        return counts


def _exchanges(order: int, symmetry: TensorSymmetry) -> list[tuple[tuple[int, ...], int]]:
    """The permutations of the indices of a tensor with that symmetry, and their signs."""
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
    """The pattern of equal letters of every word (word, letter), as an index in `set_partitions`.

    A word has at most n different letters.
    """
    count, length = words.shape
    labels = np.zeros((count, length), dtype=np.int64)
    different = np.zeros(count, dtype=np.int64)
    for k in range(length):
        # The label of the first equal letter, or a new one if there is none.
        same = words[:, :k] == words[:, k, None]
        repeated = same.any(axis=1)
        earlier = (
            np.take_along_axis(labels, same.argmax(axis=1)[:, None], axis=1)[:, 0]
            if k
            else different
        )
        labels[:, k] = np.where(repeated, earlier, different)
        different = different + ~repeated
    # Patterns are in lexicographic order, so they are sorted as numbers with these digits.
    digits = _MAX_ORDER ** np.arange(length)[::-1]
    return np.searchsorted(set_partitions(length, n) @ digits, labels @ digits)
