"""Closed subgroups of O(2) and O(3), given by a few generating matrices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from .closure import CLOSE, Array, GroupError, as_matrices, is_orthogonal, rotation, structure
from .irreps import Irrep, decompose, irreps
from .representation import Restricted


@dataclass(frozen=True, eq=False, repr=False)
class Group:
    """The closure of all products of `generators` in O(d).

    An element of the group *is* its d x d matrix. Every closed subgroup of O(2) and O(3) is a few
    copies `r H` of its identity component H, which is trivial, the rotations about one axis, or all
    rotations; `representatives` holds the r. A rotation by the golden angle stands for all
    rotations about its axis. Two groups are equal when they hold the same elements, whatever their
    names and generators.

    Args:
        name: what the group is called.
        generators: orthogonal matrices (generator, d, d), d = 2 or 3.

    Attributes:
        dim: the dimension d of the space that the group acts on.
    """

    name: str
    generators: Array
    dim: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "generators", as_matrices(self.generators))
        # A plain number: a compiler that reads the array instead cannot guard it.
        object.__setattr__(self, "dim", int(self.generators.shape[-1]))

    @classmethod
    def from_generators(
        cls, matrices: ArrayLike | Tensor | Iterable[Any], name: str | None = None
    ) -> Group:
        """Make a group of d x d matrices.

        Args:
            matrices: (generator, d, d), orthogonal to 1e-10, d = 2 or 3.
            name: what to call it; by default a description.

        Raises:
            GroupError: a matrix is not orthogonal, or the group is finite and larger than 480.
        """
        generators = as_matrices(matrices)
        described = cls(
            "", generators
        )._description()  # reads the structure, so that errors come now
        return cls(name or described, generators)

    @cached_property
    def _structure(self) -> tuple[str, Array | None, Array]:
        return structure(self.generators)

    @property
    def identity_component(self) -> str:
        """`"trivial"`, `"axial"` (rotations about one axis) or `"full"` (all rotations)."""
        return self._structure[0]

    @property
    def axis(self) -> Array | None:
        """The axis (d,) of an axial group of space, else None."""
        return self._structure[1]

    @property
    def representatives(self) -> Array:
        """One element of every connected component (component, d, d), the identity first."""
        return self._structure[2]

    @cached_property
    def order(self) -> int | None:
        """The number of elements; None if there are infinitely many."""
        return len(self.representatives) if self.identity_component == "trivial" else None

    @cached_property
    def has_reflections(self) -> bool:
        """Whether an element has determinant -1."""
        return bool((np.linalg.det(self.representatives) < 0).any())

    def contains(self, matrix: ArrayLike | Tensor, tolerance: float = CLOSE) -> bool:
        """Whether a d x d matrix is an element, to `tolerance`."""
        g = np.asarray(matrix, dtype=np.float64)
        if g.shape != (self.dim, self.dim) or not is_orthogonal(g, tolerance):
            return False
        rest = np.einsum("cji,jk->cik", self.representatives, g)
        if self.identity_component == "trivial":
            distance = np.abs(rest - np.eye(self.dim)).max(axis=(1, 2))
        else:
            distance = (np.linalg.det(rest) < 0).astype(np.float64)
            if self.axis is not None:
                distance += np.abs(rest @ self.axis - self.axis).max(axis=1)
        return bool((distance < tolerance).any())

    def subgroup_of(self, other: Group) -> bool:
        """Whether every element of this group is one of `other`."""
        return (
            isinstance(other, Group)
            and self.dim == other.dim
            and all(other.contains(g) for g in self.generators)
        )

    def conjugate(self, rotation: ArrayLike, name: str | None = None) -> Group:
        """The group R G R^-1 of an orthogonal R (d, d): the same symmetry about turned axes."""
        (turn,) = as_matrices([rotation])
        return Group.from_generators(turn @ self.generators @ turn.T, name or f"{self.name} turned")

    def index(self, elements: Array) -> NDArray[np.int64]:
        """The places of elements (n, d, d) of a finite group in `representatives`."""
        self._require_finite("index of elements")
        distance = np.abs(self.representatives[None] - np.asarray(elements)[:, None]).max(
            axis=(2, 3)
        )
        found: NDArray[np.int64] = distance.argmin(axis=1)
        if len(distance) and distance.min(axis=1).max() > CLOSE:
            raise GroupError(f"Not every matrix is an element of {self}.")
        return found

    @cached_property
    def product_table(self) -> NDArray[np.int64]:
        """The place table[a, b] of the product of elements a and b in `representatives`.

        The group is finite.
        """
        self._require_finite("product table")
        products = np.einsum("aij,bjk->abik", self.representatives, self.representatives)
        return np.stack([self.index(row) for row in products])

    def classes(self) -> list[NDArray[np.int64]]:
        """The conjugacy classes of a finite group as places in `representatives`.

        That of the identity comes first.
        """
        table = self.product_table
        inverse = np.argmin(table, axis=1)
        conjugates = table[table, inverse[:, None]]
        found: dict[tuple[int, ...], None] = {}
        for k in range(len(table)):
            found.setdefault(tuple(sorted(set(conjugates[:, k].tolist()))))
        return [np.array(members) for members in found]

    def _require_finite(self, what: str) -> None:
        if self.order is None:
            raise GroupError(
                f"{self} has infinitely many elements and so no {what}; take a finite subgroup."
            )

    def irreps(self, max_degree: int = 6) -> list[Irrep]:
        """The real irreps that occur in the harmonics up to `max_degree`, the trivial one first.

        A finite group's list ends as soon as it is complete: the sum of dim^2 / type is the order.
        """
        return irreps(self, max_degree)

    def restrict(self, irrep: Irrep, subgroup: Group) -> list[tuple[Irrep, Array]]:
        """The irreps of a subgroup that an irrep of this group holds, each as often as it occurs.

        Returns:
            Pairs of an irrep of `subgroup` and an isometry Q (irrep.dim, its dim) with rho(h) Q = Q
            sigma(h).

        Raises:
            GroupError: an irrep of another group, or no subgroup.
        """
        if irrep.group != self or not subgroup.subgroup_of(self):
            raise GroupError(
                f"{irrep} cannot be restricted from {self} to {subgroup}: it needs an irrep and a "
                "subgroup."
            )
        return decompose(Restricted(subgroup, irrep))

    def sample(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw elements from the Haar measure: (count, d, d), float64."""
        component = torch.randint(len(self.representatives), (count,), generator=generator)
        elements = torch.from_numpy(self.representatives)[component]
        if self.identity_component == "full":
            noise = torch.randn(count, self.dim, self.dim, generator=generator, dtype=torch.float64)
            q, r = torch.linalg.qr(noise)
            q = q * torch.diagonal(r, dim1=-2, dim2=-1).sign().unsqueeze(-2)
            q = torch.cat([q[..., :-1], q[..., -1:] * torch.linalg.det(q)[:, None, None]], dim=-1)
            elements = elements @ q
        elif self.axis is not None:
            angle = 2 * torch.pi * torch.rand(count, generator=generator, dtype=torch.float64)
            turns = (
                np.stack([rotation(float(a), self.axis) for a in angle])
                if count
                else np.zeros((0, 3, 3))
            )
            elements = elements @ torch.from_numpy(turns)
        return elements

    def __eq__(self, other: object) -> bool:
        if self is other or not isinstance(other, Group):
            return self is other
        if np.array_equal(self.generators, other.generators):
            return True
        return hash(self) == hash(other) and self.subgroup_of(other) and other.subgroup_of(self)

    def __hash__(self) -> int:
        return hash((self.dim, self.identity_component, len(self.representatives)))

    def __repr__(self) -> str:
        return self.name

    def _description(self) -> str:
        where = f"in O({self.dim})"
        return (
            f"infinite group {where}"
            if self.order is None
            else f"group of order {self.order} {where}"
        )
