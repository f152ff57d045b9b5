"""The symmetric groups, their Young subgroups, and their irreps, the Specht modules."""

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
    """S_n, the group of all permutations of n points.

    Raises:
        GroupError: `n` is not an integer of at least 1.
    """
    return YoungSubgroup((n,))


@dataclass(frozen=True, repr=False)
class YoungSubgroup:
    """S_a x S_b x ..., which permutes the first a points among themselves, then the next b, ...

    An element is the array of the images of 0..n-1, or its n x n permutation matrix. These matrices
    are orthogonal, so `intertwiners`, `Restricted`, `Product` and `Induced` accept this group like
    subgroups of O(3). A single part gives the whole symmetric group.

    Args:
        parts: a partition of n.

    Raises:
        GroupError: `parts` is not a partition.
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
        """The range of points of every part."""
        ends = np.cumsum(self.parts).tolist()
        return [slice(end - part, end) for end, part in zip(ends, self.parts, strict=True)]

    @cached_property
    def generators(self) -> Array:
        """Matrices (generator, n, n): for every block an exchange of two points and the cycle."""
        cycles = []
        for block in self.blocks:
            points = np.arange(block.start, block.stop)
            for count in {2, len(points)} if len(points) > 1 else ():
                images = np.arange(self.dim)
                images[points[:count]] = np.roll(points[:count], -1)
                cycles.append(images)
        return permutation_matrices(np.array(cycles or [np.arange(self.dim)]))

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
        # All combinations of one permutation per block. The last block varies slowest, as in the
        # order of `places`, hence the reversals.
        lists = [permutations_at(np.arange(factorial(part)), part) for part in reversed(self.parts)]
        choices = np.indices([len(listed) for listed in lists]).reshape(len(lists), -1)
        images = [listed[rows] for listed, rows in zip(lists, choices, strict=True)][::-1]
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
        """The indices (p,) of permutations (p, n), or of their matrices, in `elements`."""
        return np.searchsorted(places(self.elements), places(self.own(elements)))

    @cached_property
    def product_table(self) -> Integers:
        """table[a, b] is the index in `elements` of the product of elements a and b.

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
        """Draw permutations (count, n) uniformly at random."""
        # The order of independent random numbers is a uniformly random permutation.
        noise = torch.rand(count, self.dim, generator=generator, dtype=torch.float64)
        return torch.cat([noise[:, block].argsort(1) + block.start for block in self.blocks], 1)

    def irreps(self, max_degree: int | None = None) -> list[Specht]:
        """The irreps, the trivial one first.

        Args:
            max_degree: the largest number of boxes below the first row; these irreps occur in
                tensors of that order. By default all irreps.
        """
        choices = [
            partitions_of_degree(part, part if max_degree is None else max_degree)
            for part in self.parts
        ]
        irreps = [Specht(self, shapes) for shapes in product(*choices)]
        return [irrep for irrep in irreps if max_degree is None or irrep.degree <= max_degree]

    def irrep(self, name: str) -> Specht:
        """The irrep with the given name.

        Args:
            name: a partition such as `"(3,1)"`; one for every part, `"(2,1)(1,1)"`.

        Raises:
            GroupError: no irrep of this group has this name.
        """
        shapes = [
            tuple(map(int, shape.split(","))) for shape in re.findall(r"\((\d+(?:,\d+)*)\)", name)
        ]
        if [sum(shape) for shape in shapes] == list(self.parts):
            irrep = Specht(self, tuple(shapes))
            if irrep.name == name:
                return irrep
        names = ", ".join(irrep.name for irrep in self.irreps(max_degree=1))
        raise GroupError(
            f"{self} has no irrep {name!r}; its irreps are partitions, beginning {names}."
        )

    def own(self, elements: ArrayLike | Tensor) -> Integers:
        """Elements, given as permutations or matrices, as permutations (p, n).

        Raises:
            GroupError: one is not a permutation, or not an element of this group.
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
    """A real orthogonal irrep of S_n, named by a partition of n.

    Its matrices are Young's orthogonal form. An irrep of a Young subgroup is named by one partition
    for every part; it is the tensor product, row-major.

    Args:
        group: the group it belongs to.
        shapes: a partition of every part of the group.

    Raises:
        GroupError: the partitions do not match the parts of the group.
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
        """The name, such as `"(3,1)"`."""
        return "".join(f"({','.join(map(str, shape))})" for shape in self.shapes)

    @property
    def dim(self) -> int:
        """The dimension, the number of standard tableaux."""
        return prod(map(dimension, self.shapes))

    @property
    def degree(self) -> int:
        """The number of boxes below the first rows: the lowest tensor order with this irrep."""
        return sum(sum(shape[1:]) for shape in self.shapes)

    @property
    def type(self) -> int:
        """1, real, for every irrep of these groups."""
        return 1

    @property
    def is_trivial(self) -> bool:
        """Whether every element acts as 1."""
        return self.degree == 0

    def endomorphisms(self) -> Array:
        """The orthonormal basis (1, dim, dim) of the maps that commute with it: the identity."""
        return np.eye(self.dim)[None] / np.sqrt(self.dim)

    def matrices(self, elements: ArrayLike | Tensor) -> Array:
        """Matrices (element, dim, dim) of permutations (element, n) or their matrices."""
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
        """The traces (...) for permutation matrices (..., n, n), computed from cycle lengths."""
        images = self.group.own(element.reshape(-1, self.group.dim, self.group.dim))
        values = np.ones(len(images))
        for shape, block in zip(self.shapes, self.group.blocks, strict=True):
            values *= [
                character(shape, cycles) for cycles in cycle_types(images[:, block] - block.start)
            ]
        return torch.from_numpy(values).to(element).reshape(element.shape[:-2])

    def __repr__(self) -> str:
        return f"{self.name} of {self.group}"
