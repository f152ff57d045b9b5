"""The symmetric groups, their Young subgroups, and Specht modules: the irreps of both."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import factorial, prod
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from ..closure import Array, GroupError
from .permutations import (
    MAX_SIZE,
    as_permutations,
    compose,
    cycle_types,
    inverse,
    permutation_matrices,
    permutations_at,
    places,
)
from .tableaux import Integers, Partition, as_partition, character, dimension, partitions_of_degree
from .young import orthogonal_form

_MAX_TABLE = factorial(7)


def SymmetricGroup(n: int) -> YoungSubgroup:
    """S_n, all permutations of n points.

    Raises:
        GroupError: `n` is no whole number of at least 1.
    """
    return YoungSubgroup((n,))


@dataclass(frozen=True, repr=False)
class YoungSubgroup:
    """S_a x S_b x ...

    The first a points are permuted among themselves, the next b points, and so on.

    An element is the array of the images of 0..n-1, or its n x n permutation matrix: an orthogonal
    matrix, so that `intertwiners`, `Restricted`, `Product` and `Induced` take this group as they
    take those of O(3). One part is the whole symmetric group.

    Args:
        parts: a partition of n.

    Raises:
        GroupError: no partition.
    """

    parts: Partition

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", as_partition(self.parts))

    @property
    def dim(self) -> int:
        """The number n of points, the dimension of the permutation matrices."""
        return sum(self.parts)

    @property
    def order(self) -> int:
        """The number of elements."""
        return prod(factorial(part) for part in self.parts)

    @property
    def identity_component(self) -> str:
        return "trivial"

    @property
    def has_reflections(self) -> bool:
        """Whether an element is odd, so that its matrix has determinant -1."""
        return self.parts[0] > 1

    @cached_property
    def blocks(self) -> list[slice]:
        """Where the points of every part are."""
        ends = np.cumsum(self.parts).tolist()
        return [slice(end - part, end) for end, part in zip(ends, self.parts, strict=True)]

    @cached_property
    def generators(self) -> Array:
        """Matrices (generator, n, n).

        Of every block the exchange of two points and the cycle of all.
        """
        found = []
        for block in self.blocks:
            points = np.arange(block.start, block.stop)
            for count in {2, len(points)} if len(points) > 1 else ():
                moved = np.arange(self.dim)
                moved[points[:count]] = np.roll(points[:count], -1)
                found.append(moved)
        return permutation_matrices(np.array(found or [np.arange(self.dim)]))

    @cached_property
    def elements(self) -> Integers:
        """All elements (element, n), the identity first, in the order of `places`.

        Raises:
            GroupError: there are more than 40,320.
        """
        if self.order > MAX_SIZE:
            raise GroupError(
                f"{self} has {self.order} elements; at most 8! = {MAX_SIZE} are listed. Work with "
                "its generators, or with cosets by a larger subgroup."
            )
        lists = [permutations_at(np.arange(factorial(part)), part) for part in reversed(self.parts)]
        chosen = np.indices([len(listed) for listed in lists]).reshape(len(lists), -1)
        images = [listed[rows] for listed, rows in zip(lists, chosen, strict=True)][::-1]
        return np.concatenate(
            [image + block.start for image, block in zip(images, self.blocks, strict=True)], axis=1
        )

    @cached_property
    def representatives(self) -> Array:
        """The matrices (element, n, n) of `elements`."""
        return permutation_matrices(self.elements)

    def subgroup_of(self, other: Any) -> bool:
        """Whether every element is one of `other`."""
        return (
            isinstance(other, YoungSubgroup)
            and self.dim == other.dim
            and other._keeps_blocks(as_permutations(self.generators, self.dim))
        )

    def product(self, left: ArrayLike | Tensor, right: ArrayLike | Tensor) -> Integers:
        """The products s t: i -> s(t(i)) of elements, as permutations (p, n)."""
        return compose(self.own(left), self.own(right))

    def inverse(self, elements: ArrayLike | Tensor) -> Integers:
        """The inverses of elements, as permutations (p, n)."""
        return inverse(self.own(elements))

    def index(self, elements: ArrayLike | Tensor) -> Integers:
        """The places of permutations (p, n), or of their matrices, in `elements`."""
        return np.searchsorted(places(self.elements), places(self.own(elements)))

    @cached_property
    def product_table(self) -> Integers:
        """table[a, b] is the place of the product of elements a and b in `elements`.

        Raises:
            GroupError: there are more than 5,040 elements.
        """
        if self.order > _MAX_TABLE:
            raise GroupError(
                f"The product table of {self} has {self.order}^2 entries; tables are made up to "
                f"order {_MAX_TABLE}. Use `product`."
            )
        return np.stack([self.index(compose(element, self.elements)) for element in self.elements])

    def sample(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw permutations (count, n), all with equal probability."""
        noise = torch.rand(count, self.dim, generator=generator, dtype=torch.float64)
        return torch.cat([noise[:, block].argsort(1) + block.start for block in self.blocks], 1)

    def irreps(self, max_degree: int | None = None) -> list[Specht]:
        """The irreps, the trivial one first.

        Args:
            max_degree: only those of at most so many boxes below the first row, which occur in
                tensors of that order; by default all.
        """
        choices = (
            partitions_of_degree(part, part if max_degree is None else max_degree)
            for part in self.parts
        )
        found = [Specht(self, shapes) for shapes in product(*choices)]
        return [irrep for irrep in found if max_degree is None or irrep.degree <= max_degree]

    def irrep(self, name: str) -> Specht:
        """The irrep of that name.

        A partition such as `"(3,1)"`, and one for every part, `"(2,1)(1,1)"`.

        Raises:
            GroupError: it names no irrep of this group.
        """
        shapes = [
            tuple(map(int, shape.split(","))) for shape in re.findall(r"\((\d+(?:,\d+)*)\)", name)
        ]
        if [sum(shape) for shape in shapes] == list(self.parts):
            found = Specht(self, tuple(shapes))
            if found.name == name:
                return found
        known = ", ".join(irrep.name for irrep in self.irreps(max_degree=1))
        raise GroupError(
            f"{self} has no irrep {name!r}; its irreps are partitions, beginning {known}."
        )

    def own(self, elements: ArrayLike | Tensor) -> Integers:
        """Elements, as permutations or matrices, as permutations (p, n).

        Raises:
            GroupError: one is no permutation, or none of this group.
        """
        images = as_permutations(elements, self.dim)
        if not self._keeps_blocks(images):
            raise GroupError(
                f"Not every permutation is an element of {self}: its blocks are {self.parts} "
                "points."
            )
        return images

    def _keeps_blocks(self, images: Integers) -> bool:
        block = np.repeat(np.arange(len(self.parts)), self.parts)
        return bool((block[images] == block).all())

    def __repr__(self) -> str:
        return "x".join(f"Sym({part})" for part in self.parts)


@dataclass(frozen=True, repr=False)
class Specht:
    """An irrep of S_n, real and orthogonal, named by a partition.

    Of a Young subgroup, one for every part.

    The matrices are Young's orthogonal form, for several parts the tensor product, row-major.

    Args:
        group: the group it belongs to.
        shapes: a partition of every part of the group.

    Raises:
        GroupError: other partitions.
    """

    group: YoungSubgroup
    shapes: tuple[Partition, ...]

    def __post_init__(self) -> None:
        if len(self.shapes) != len(self.group.parts):
            raise GroupError(
                f"An irrep of {self.group} is one partition for each of {self.group.parts}."
            )
        pairs = zip(self.shapes, self.group.parts, strict=True)
        object.__setattr__(
            self, "shapes", tuple(as_partition(shape, part) for shape, part in pairs)
        )

    @property
    def name(self) -> str:
        """Such as `"(3,1)"`."""
        return "".join(f"({','.join(map(str, shape))})" for shape in self.shapes)

    @property
    def dim(self) -> int:
        """The dimension, the number of standard tableaux."""
        return prod(map(dimension, self.shapes))

    @property
    def degree(self) -> int:
        """The number of boxes below the first rows.

        The lowest order of tensors that hold the irrep.
        """
        return sum(sum(shape[1:]) for shape in self.shapes)

    @property
    def type(self) -> int:
        """1, real, for every irrep of these groups."""
        return 1

    @property
    def is_trivial(self) -> bool:
        """Whether every element acts as 1."""
        return self.degree == 0

    @property
    def dual(self) -> Specht:
        """The dual representation rho(g^-1)^T: for orthogonal matrices the same."""
        return self

    def endomorphisms(self) -> Array:
        """An orthonormal basis (1, dim, dim) of the maps that commute with it.

        By Schur's lemma the identity.
        """
        return np.eye(self.dim)[None] / np.sqrt(self.dim)

    def matrices(self, elements: ArrayLike | Tensor) -> Array:
        """Matrices (element, dim, dim) of permutations (element, n).

        The permutations may also be matrices (element, n, n).
        """
        images = self.group.own(elements)
        result = np.ones((len(images), 1, 1))
        for shape, block in zip(self.shapes, self.group.blocks, strict=True):
            right = orthogonal_form(shape, images[:, block] - block.start)
            size = result.shape[1] * right.shape[1]
            result = np.einsum("gij,gkl->gikjl", result, right).reshape(len(images), size, size)
        return result

    def matrix(self, element: Tensor) -> Tensor:
        """The matrix (..., dim, dim) of permutation matrices (..., n, n), in their dtype."""
        flat = element.detach().to("cpu", torch.float64).reshape(-1, self.group.dim, self.group.dim)
        return (
            torch.from_numpy(self.matrices(flat))
            .to(element)
            .reshape(*element.shape[:-2], self.dim, self.dim)
        )

    def character(self, element: Tensor) -> Tensor:
        """The trace (...) of the matrix of permutation matrices (..., n, n).

        It follows from the lengths of cycles.
        """
        images = self.group.own(element.reshape(-1, self.group.dim, self.group.dim))
        values = np.ones(len(images))
        for shape, block in zip(self.shapes, self.group.blocks, strict=True):
            values *= [
                character(shape, cycles) for cycles in cycle_types(images[:, block] - block.start)
            ]
        return torch.from_numpy(values).to(element).reshape(element.shape[:-2])

    def __repr__(self) -> str:
        return f"{self.name} of {self.group}"
