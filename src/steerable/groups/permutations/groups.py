"""Groups of permutations that a few of them generate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from ..closure import Array, GroupError
from .permutations import MAX_SIZE, as_permutations, compose, permutation_matrices, places
from .symmetric import YoungSubgroup
from .tableaux import Integers


class PermutationGroup:
    """All products of a few permutations of n points: any subgroup of S_n.

    An element is the array of the images of 0..n-1, or its n x n permutation matrix. Two groups are
    equal when they hold the same elements.

    Args:
        permutations: (generator, n), such as [(1, 2, 3, 0)] for the cycle of 4 points.

    Raises:
        GroupError: none at all, rows that are no permutations, or more than 40,320 elements.
    """

    def __init__(self, permutations: Iterable[Sequence[int]]) -> None:
        rows = [tuple(row) for row in permutations]
        if not rows:
            raise GroupError(
                "A group needs at least one permutation; write the identity for the group of one "
                "element."
            )
        self._generators = as_permutations(np.array(rows), len(rows[0]))
        self.generators: Array = permutation_matrices(self._generators)

    @property
    def dim(self) -> int:
        """The number n of points."""
        return self._generators.shape[1]

    @cached_property
    def elements(self) -> Integers:
        """All elements (element, n), the identity first, in the order of `places`."""
        found = newest = np.arange(self.dim)[None]
        while len(newest):
            products = compose(self._generators[:, None], newest).reshape(-1, self.dim)
            newest = np.unique(products[~np.isin(places(products), places(found))], axis=0)
            found = np.concatenate([found, newest])
            if len(found) > MAX_SIZE:
                raise GroupError(
                    f"These permutations make more than 8! = {MAX_SIZE} elements, which are not "
                    "listed."
                )
        return found[np.argsort(places(found))]

    @property
    def order(self) -> int:
        """The number of elements."""
        return len(self.elements)

    @property
    def identity_component(self) -> str:
        return "trivial"

    @property
    def has_reflections(self) -> bool:
        """Whether an element is odd, so that its matrix has determinant -1."""
        return bool((np.linalg.det(self.generators) < 0).any())

    @cached_property
    def representatives(self) -> Array:
        """The matrices (element, n, n) of `elements`."""
        return permutation_matrices(self.elements)

    def subgroup_of(self, other: Any) -> bool:
        """Whether every element is one of `other`, a group of permutations."""
        if getattr(other, "dim", None) != self.dim:
            return False
        if isinstance(other, PermutationGroup):
            return bool(np.isin(places(self._generators), places(other.elements)).all())
        if not isinstance(other, YoungSubgroup):
            return False
        try:
            other.own(self._generators)
        except GroupError:
            return False
        return True

    def index(self, elements: ArrayLike | Tensor) -> Integers:
        """The places of permutations (p, n), or of their matrices, in `elements`."""
        wanted, known = places(as_permutations(elements, self.dim)), places(self.elements)
        if not np.isin(wanted, known).all():
            raise GroupError(f"Not every permutation is an element of {self}.")
        return np.searchsorted(known, wanted)

    def sample(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw permutations (count, n), all with equal probability."""
        return torch.from_numpy(self.elements)[
            torch.randint(self.order, (count,), generator=generator)
        ]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PermutationGroup) and np.array_equal(self.elements, other.elements)

    def __hash__(self) -> int:
        return hash((self.dim, self.order))

    def __repr__(self) -> str:
        return f"permutation group of order {self.order} on {self.dim} points"
