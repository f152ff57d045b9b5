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

Array = NDArray[np.float64]

GOLDEN_ANGLE = float(np.pi * (3.0 - np.sqrt(5.0)))
MAX_ORDER = 480
_LONGEST_PERIOD = 10_000
_CLOSE = 1e-6


class GroupError(ValueError):
    """Matrices that do not generate a closed subgroup of O(2) or O(3), or a group that does not fit another."""


@dataclass(frozen=True, eq=False, repr=False)
class Group:
    """The closure of all products of `generators` in O(d).

    An element of the group *is* its d x d matrix. Every closed subgroup of O(2) and O(3) is a few copies
    `r H` of its identity component H, which is trivial, the rotations about one axis, or all rotations;
    `representatives` holds the r. A rotation by the golden angle stands for all rotations about its axis.
    Two groups are equal when they hold the same elements, whatever their names and generators.

    Args:
        name: what the group is called.
        generators: orthogonal matrices (generator, d, d), d = 2 or 3; none is the trivial group.
    """

    name: str
    generators: Array = field(default_factory=lambda: np.zeros((0, 3, 3)))

    @classmethod
    def from_generators(cls, matrices: ArrayLike | Tensor | Iterable[Any], name: str | None = None) -> Group:
        """Make a group of d x d matrices.

        Args:
            matrices: (generator, d, d), orthogonal to 1e-8, d = 2 or 3.
            name: what to call it; by default a description.

        Raises:
            GroupError: a matrix is not orthogonal, or the group is finite and larger than 480.
        """
        generators = _as_matrices(matrices)
        group = cls("", generators)
        return cls(name or group._description(), generators)

    @property
    def dim(self) -> int:
        """The dimension d of the space that the group acts on."""
        return int(self.generators.shape[-1])

    @cached_property
    def _structure(self) -> tuple[str, Array | None, Array]:
        return _structure(self.generators)

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

    @property
    def order(self) -> int | None:
        """The number of elements; None if there are infinitely many."""
        return len(self.representatives) if self.identity_component == "trivial" else None

    @property
    def has_reflections(self) -> bool:
        """Whether an element has determinant -1."""
        return bool((np.linalg.det(self.representatives) < 0).any())

    def contains(self, matrix: ArrayLike | Tensor, tolerance: float = _CLOSE) -> bool:
        """Whether a d x d matrix is an element, to `tolerance`."""
        g = np.asarray(matrix, dtype=np.float64)
        if g.shape != (self.dim, self.dim) or not _is_orthogonal(g, tolerance):
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
        return self.dim == other.dim and all(other.contains(g) for g in self.generators)

    def conjugate(self, rotation: ArrayLike, name: str | None = None) -> Group:
        """The group R G R^-1 of an orthogonal R (d, d): the same symmetry about turned axes."""
        (turn,) = _as_matrices([rotation])
        return Group.from_generators(turn @ self.generators @ turn.T, name or f"{self.name} turned")

    def index(self, elements: Array) -> NDArray[np.int64]:
        """The places of elements (n, d, d) of a finite group in `representatives`."""
        self._require_finite("index of elements")
        distance = np.abs(self.representatives[None] - np.asarray(elements)[:, None]).max(axis=(2, 3))
        found: NDArray[np.int64] = distance.argmin(axis=1)
        if len(distance) and distance.min(axis=1).max() > _CLOSE:
            raise GroupError(f"Not every matrix is an element of {self}.")
        return found

    @cached_property
    def product_table(self) -> NDArray[np.int64]:
        """table[a, b] is the place of the product of elements a and b of a finite group, in `representatives`."""
        self._require_finite("product table")
        products = np.einsum("aij,bjk->abik", self.representatives, self.representatives)
        return np.stack([self.index(row) for row in products])

    def classes(self) -> list[NDArray[np.int64]]:
        """The conjugacy classes of a finite group as places in `representatives`, that of the identity first."""
        table = self.product_table
        inverse = np.argmin(table, axis=1)
        conjugates = table[table, inverse[:, None]]
        found: dict[tuple[int, ...], None] = {}
        for k in range(len(table)):
            found.setdefault(tuple(sorted(set(conjugates[:, k].tolist()))))
        return [np.array(members) for members in found]

    def _require_finite(self, what: str) -> None:
        if self.order is None:
            raise GroupError(f"{self} has infinitely many elements and so no {what}; take a finite subgroup.")

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
            turns = np.stack([rotation(float(a), self.axis) for a in angle]) if count else np.zeros((0, 3, 3))
            elements = elements @ torch.from_numpy(turns)
        return elements

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Group) and (
            self is other or (hash(self) == hash(other) and self.subgroup_of(other) and other.subgroup_of(self))
        )

    def __hash__(self) -> int:
        return hash((self.dim, self.identity_component, len(self.representatives)))

    def __repr__(self) -> str:
        return self.name

    def _description(self) -> str:
        where = f"in O({self.dim})"
        return f"infinite group {where}" if self.order is None else f"group of order {self.order} {where}"


def rotation(angle: float, axis: ArrayLike | None = None) -> Array:
    """The rotation by `angle` radians of the plane, or about `axis` (3,) of space: d x d."""
    c, s = np.cos(angle), np.sin(angle)
    if axis is None:
        return np.array([[c, -s], [s, c]])
    n = np.asarray(axis, dtype=np.float64)
    n = n / np.sqrt((n * n).sum())
    cross = np.array([[0, -n[2], n[1]], [n[2], 0, -n[0]], [-n[1], n[0], 0]])
    return np.eye(3) * c + s * cross + (1 - c) * np.outer(n, n)


def _as_matrices(matrices: Any) -> Array:
    try:
        stacked = np.array([np.asarray(m, dtype=np.float64) for m in matrices])
    except (TypeError, ValueError) as error:
        raise GroupError(f"A group needs generators of shape (generator, d, d); got {matrices!r}.") from error
    if stacked.ndim != 3 or stacked.shape[1:] not in ((2, 2), (3, 3)):
        raise GroupError(
            f"A group needs generators of shape (generator, d, d) with d = 2 or 3; got {stacked.shape}. "
            "Use `trivial(dim)` for the group of one element."
        )
    for k, matrix in enumerate(stacked):
        if not _is_orthogonal(matrix, 1e-8):
            raise GroupError(
                f"Generators must be orthogonal matrices; number {k} has g^T g = "
                f"{(matrix.T @ matrix).round(6).tolist()}. Orthonormalise its columns first."
            )
    return stacked


def _is_orthogonal(matrix: Array, tolerance: float) -> bool:
    return bool(np.isfinite(matrix).all() and np.abs(matrix.T @ matrix - np.eye(len(matrix))).max() < tolerance)


def _structure(generators: Array) -> tuple[str, Array | None, Array]:
    """Identity component, axis, and one element of every component."""
    dim = generators.shape[-1]
    elements, closed = _products(generators, MAX_ORDER)
    if closed and not any(_turns_forever(g) for g in generators):
        return "trivial", None, elements
    for g in generators:
        period = _period(g)
        if period is not None and period > MAX_ORDER:
            raise GroupError(
                f"A generator has the finite order {period}; finite groups may have {MAX_ORDER} elements. "
                "Use the rotations about its axis (a generator by the golden angle) instead."
            )
    if dim == 2:
        return "full", None, _components(elements, lambda g: (round(np.linalg.det(g)),))
    axes = _rotation_axes(elements)
    if len(axes) == 0:
        raise GroupError(f"The generators make more than {MAX_ORDER} elements and no closed group could be recognised.")
    axis = axes[0]
    if np.abs(np.abs(axes @ axis) - 1).max() > _CLOSE:
        return "full", None, _components(elements, lambda g: (round(np.linalg.det(g)),))
    key = lambda g: (round(np.linalg.det(g)), round(float(axis @ g @ axis)))  # noqa: E731
    return "axial", axis, _components(elements, key)


def _products(generators: Array, limit: int) -> tuple[Array, bool]:
    """All products of the generators, breadth first, up to `limit`; and whether these are all."""
    dim = generators.shape[-1]
    elements = np.eye(dim)[None]
    newest = elements
    while len(newest):
        fresh: list[Array] = []
        for g in generators:
            for product in np.einsum("ij,njk->nik", g, newest):
                known = np.concatenate([elements, np.array(fresh).reshape(-1, dim, dim)])
                if np.abs(known - product).max(axis=(1, 2)).min() > _CLOSE:
                    fresh.append(product)
        newest = np.array(fresh).reshape(-1, dim, dim)
        elements = np.concatenate([elements, newest])
        if len(elements) > limit:
            return elements, False
    return elements, True


def _angle(g: Array) -> float:
    """The angle of rotation of g, or of -g if that is the rotation; 0 for a reflection of the plane."""
    if len(g) == 2:
        return float(np.arctan2(g[1, 0], g[0, 0])) if np.linalg.det(g) > 0 else 0.0
    proper = g * np.sign(np.linalg.det(g))
    sine = np.linalg.norm([proper[2, 1] - proper[1, 2], proper[0, 2] - proper[2, 0], proper[1, 0] - proper[0, 1]])
    return float(np.arctan2(sine, np.trace(proper) - 1))


def _period(g: Array) -> int | None:
    """The order of a rotation (of g or -g); None if no power up to 10,000 is the identity."""
    counts = np.arange(1, _LONGEST_PERIOD + 1)
    turns = counts * _angle(g) / (2 * np.pi)
    hits = np.flatnonzero(np.abs(turns - turns.round()) < 1e-9)
    return int(counts[hits[0]]) if len(hits) else None


def _turns_forever(g: Array) -> bool:
    return _period(g) is None


def _rotation_axes(elements: Array) -> Array:
    """Axes (n, 3) of the elements that turn by another angle than 0 and pi."""
    proper = elements * np.sign(np.linalg.det(elements))[:, None, None]
    twist = np.stack(
        [proper[:, 2, 1] - proper[:, 1, 2], proper[:, 0, 2] - proper[:, 2, 0], proper[:, 1, 0] - proper[:, 0, 1]], 1
    )
    length = np.sqrt((twist**2).sum(1))
    return twist[length > 1e-4] / length[length > 1e-4, None]


def _components(elements: Array, key: Any) -> Array:
    """The first element with each value of `key`."""
    first: dict[Any, Array] = {}
    for g in elements:
        first.setdefault(key(g), g)
    return np.stack(list(first.values()))
