"""The structure of the closed subgroup of O(2) or O(3) that a few matrices generate."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

Array = NDArray[np.float64]

GOLDEN_ANGLE = float(np.pi * (3.0 - np.sqrt(5.0)))
MAX_ORDER = 480
_LONGEST_PERIOD = 10_000
CLOSE = 1e-6


class GroupError(ValueError):
    """Raised for matrices that generate no closed group, and for groups that do not match."""


class Symmetry(Hashable, Protocol):
    """The interface that representations need from a group; `Group` implements it."""

    @property
    def generators(self) -> Array: ...

    @property
    def dim(self) -> int: ...

    @property
    def identity_component(self) -> str: ...

    @property
    def representatives(self) -> Array: ...

    @property
    def order(self) -> int | None: ...

    @property
    def has_reflections(self) -> bool: ...

    def subgroup_of(self, other: Any) -> bool: ...


def rotation(angle: float, axis: ArrayLike | None = None) -> Array:
    """The rotation by `angle` radians, in the plane or about `axis` (3,) in space.

    Returns:
        (d, d), with d = 2 if `axis` is None, else 3.
    """
    c, s = np.cos(angle), np.sin(angle)
    if axis is None:
        return np.array([[c, -s], [s, c]])
    n = np.asarray(axis, dtype=np.float64)
    n = n / np.sqrt((n * n).sum())
    cross = np.array([[0, -n[2], n[1]], [n[2], 0, -n[0]], [-n[1], n[0], 0]])
    return np.eye(3) * c + s * cross + (1 - c) * np.outer(n, n)


def as_matrices(matrices: Any) -> Array:
    """Orthogonal d x d matrices as one array (generator, d, d).

    Raises:
        GroupError: the shape does not fit, or a matrix is not orthogonal to 1e-10.
    """
    try:
        arrays = [
            m.detach().cpu().numpy() if isinstance(m, Tensor) else np.asarray(m) for m in matrices
        ]
        stacked = np.zeros((0, 0, 0))
        if arrays:
            # "same_kind" refuses complex matrices instead of dropping their imaginary part.
            stacked = np.array(arrays).astype(np.float64, casting="same_kind")
    except (TypeError, ValueError) as error:
        raise GroupError(
            f"A group needs real generators of shape (generator, d, d); got {matrices!r}."
        ) from error
    if stacked.ndim != 3 or stacked.shape[1:] not in ((2, 2), (3, 3)):
        raise GroupError(
            "A group needs generators of shape (generator, d, d) with d = 2 or 3; got "
            f"{stacked.shape}. Use `trivial(dim)` for the group of one element."
        )
    for k, matrix in enumerate(stacked):
        if not is_orthogonal(matrix, 1e-10):
            raise GroupError(
                f"Generators must be orthogonal matrices; number {k} is {matrix.tolist()}, and g^T "
                "g differs from the identity by up to "
                f"{np.abs(matrix.T @ matrix - np.eye(len(matrix))).max():.1e}. Give it in full "
                "float64 precision, or orthonormalise its columns first."
            )
    return stacked


def is_orthogonal(matrix: Array, tolerance: float) -> bool:
    """Whether g^T g equals the identity up to `tolerance`."""
    return bool(
        np.isfinite(matrix).all()
        and np.abs(matrix.T @ matrix - np.eye(len(matrix))).max() < tolerance
    )


def structure(generators: Array) -> tuple[str, Array | None, Array]:
    """Identity component, axis, and one element of every connected component.

    A finite group is complete once products bring nothing new. An infinite one contains a rotation
    of infinite order, whose powers fill the rotations about its axis: if all such axes coincide the
    identity component is those rotations ("axial"), otherwise it is all rotations ("full").
    """
    dim = generators.shape[-1]
    elements, closed = _products(generators, MAX_ORDER)
    if closed:
        if any(_turns_forever(g) for g in generators):
            raise GroupError(
                f"The generators give {len(elements)} elements within {CLOSE}, but not to "
                "rounding. Give them in full float64 precision."
            )
        return "trivial", None, elements
    if not any(_turns_forever(g) for g in elements):
        longest = max(period for period in map(_period, elements) if period)
        raise GroupError(
            f"The generators give elements of finite order {longest}; finite groups may have "
            f"{MAX_ORDER} elements and this one has more. Use all rotations about an axis instead "
            "(a rotation by the golden angle generates them)."
        )
    if dim == 2:
        return "full", None, _components(elements, lambda g: (round(np.linalg.det(g)),))
    axes = _rotation_axes(elements)
    axis = axes[0]
    if np.abs(np.abs(axes @ axis) - 1).max() > CLOSE:
        return "full", None, _components(elements, lambda g: (round(np.linalg.det(g)),))
    key = lambda g: (round(np.linalg.det(g)), round(float(axis @ g @ axis)))  # noqa: E731
    return "axial", axis, _components(elements, key)


def _products(generators: Array, limit: int) -> tuple[Array, bool]:
    """Products of the generators, breadth first, up to `limit`, and whether these are all."""
    dim = generators.shape[-1]
    elements = np.eye(dim)[None]
    newest = elements
    while len(newest):
        fresh: list[Array] = []
        for g in generators:
            for product in np.einsum("ij,njk->nik", g, newest):
                earlier = np.concatenate([elements, np.array(fresh).reshape(-1, dim, dim)])
                if np.abs(earlier - product).max(axis=(1, 2)).min() > CLOSE:
                    fresh.append(product)
        newest = np.array(fresh).reshape(-1, dim, dim)
        elements = np.concatenate([elements, newest])
        if len(elements) > limit:
            return elements, False
    return elements, True


def _angle(g: Array) -> float:
    """The rotation angle of g, or of -g if det g = -1; 0 for a reflection of the plane."""
    if len(g) == 2:
        return float(np.arctan2(g[1, 0], g[0, 0])) if np.linalg.det(g) > 0 else 0.0
    proper = g * np.sign(np.linalg.det(g))
    # The antisymmetric part of a rotation is 2 sin(angle) times its axis, the trace 1 + 2 cos.
    sine = np.linalg.norm(
        [proper[2, 1] - proper[1, 2], proper[0, 2] - proper[2, 0], proper[1, 0] - proper[0, 1]]
    )
    return float(np.arctan2(sine, np.trace(proper) - 1))


def _period(g: Array) -> int | None:
    """The order of a rotation (of g or -g); None if no power up to 10,000 is the identity."""
    counts = np.arange(1, _LONGEST_PERIOD + 1)
    turns = counts * _angle(g) / (2 * np.pi)
    hits = np.flatnonzero(np.abs(turns - turns.round()) < 1e-8)
    return int(counts[hits[0]]) if len(hits) else None


def _turns_forever(g: Array) -> bool:
    return _period(g) is None


def _rotation_axes(elements: Array) -> Array:
    """Axes (n, 3) of the elements whose angle is neither 0 nor pi."""
    proper = elements * np.sign(np.linalg.det(elements))[:, None, None]
    # The antisymmetric part of each rotation, as a vector: 2 sin(angle) times the axis.
    twist = np.stack(
        [
            proper[:, 2, 1] - proper[:, 1, 2],
            proper[:, 0, 2] - proper[:, 2, 0],
            proper[:, 1, 0] - proper[:, 0, 1],
        ],
        1,
    )
    length = np.sqrt((twist**2).sum(1))
    return twist[length > 1e-4] / length[length > 1e-4, None]


def _components(elements: Array, key: Any) -> Array:
    """The first element with each value of `key`."""
    first: dict[Any, Array] = {}
    for g in elements:
        first.setdefault(key(g), g)
    return np.stack(list(first.values()))
