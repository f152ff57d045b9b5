"""Regular, quotient and induced representations of finite groups."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .closure import Array, GroupError
from .group import Group
from .named import trivial
from .representation import Representation


@dataclass(frozen=True)
class Induced:
    """The representation of a finite group G induced by a representation of a subgroup H.

    It acts on functions on G / H. With one representative r_i of every coset r_i H and
    g r_i = r_j h, block (j, i) of rho(g) is the matrix of h.

    Args:
        group: G, finite.
        inner: the representation of H.

    Raises:
        GroupError: G is infinite, or H is not a subgroup of it.
    """

    group: Group
    inner: Representation

    def __post_init__(self) -> None:
        if self.group.order is None:
            raise GroupError(
                f"Only finite groups induce here; {self.group} is infinite. Use its irreps instead."
            )
        if not self.inner.group.subgroup_of(self.group):
            raise GroupError(f"{self.inner.group} is not a subgroup of {self.group}.")

    @property
    def dim(self) -> int:
        return len(self._cosets[0]) * self.inner.dim

    @cached_property
    def _cosets(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The index of the first element of every coset r H, and the coset number of every element.

        Elements are given by their indices in `group.representatives`.
        """
        inside = self.group.index(self.inner.group.representatives)
        first = self.group.product_table[:, inside].min(axis=1)  # of the coset of every element
        representatives, number = np.unique(first, return_inverse=True)
        return representatives, number

    def matrices(self, elements: Array) -> Array:
        representatives, number = self._cosets
        table, size = self.group.product_table, self.inner.dim
        inverse = np.argmin(table, axis=1)  # the identity has index 0
        images = table[self.group.index(elements)[:, None], representatives]  # g r_i
        target = number[images]  # j
        rest = self.group.representatives[table[inverse[representatives[target]], images]]  # h
        blocks = self.inner.matrices(rest.reshape(-1, self.group.dim, self.group.dim))

        # Block (target[g, i], i) of matrix g: axes are (g, j, row, i, column).
        count = len(representatives)
        result = np.zeros((len(elements), count, size, count, size))
        g, i = np.indices(target.shape)
        result[g, target, :, i] = blocks.reshape(*target.shape, size, size)
        return result.reshape(len(elements), count * size, count * size)


def quotient(group: Group, subgroup: Group) -> Induced:
    """The permutation representation of a finite group on functions on its cosets G / H."""
    return Induced(group, subgroup.irreps(0)[0])


def regular(group: Group) -> Induced:
    """The regular representation: functions on a finite group."""
    return quotient(group, trivial(group.dim))
