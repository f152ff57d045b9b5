"""Representatives and quadratures of cosets: points of G / H given as elements of G."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .closure import CLOSE, Array, GroupError, Symmetry, rotation

_POLE = np.array([0.0, 1.0, 0.0])


class FiniteGroup(Symmetry, Protocol):
    """A group whose elements can be enumerated."""

    def index(self, elements: Any) -> NDArray[np.int64]: ...


def coset_representatives(group: FiniteGroup, subgroup: Symmetry) -> Array:
    """One element (coset, d, d) of every coset g H of a finite group; the identity for H itself.

    Raises:
        GroupError: the group is infinite.
    """
    return _first_of_orbits(group, group.generators[:0], subgroup.generators)


def double_coset_representatives(group: FiniteGroup, left: Symmetry, right: Symmetry) -> Array:
    """One element (double coset, d, d) of every double coset K g H of a finite group.

    The identity represents K H.

    Raises:
        GroupError: the group is infinite.
    """
    return _first_of_orbits(group, left.generators, right.generators)


def coset_quadrature(group: Any, subgroup: Symmetry, degree: int) -> tuple[Array, Array]:
    """Elements of G and weights that compute the mean over G / H.

    The mean is exact for products of two functions on G / H with irreps up to `degree`, and for all
    functions if G is finite. In space the elements are those of `SphereGrid` and
    `RotationTransform`: R_y(a) R_x(b) T if H contains the rotations about an axis, where T rotates
    that axis onto y, and R_y(a) R_x(b) R_y(g) otherwise.

    Args:
        group: G.
        subgroup: H.
        degree: highest degree of the functions; ignored for a finite group.

    Returns:
        Elements (point, d, d) and weights (point,) of sum 1.
    """
    if group.order is not None:
        elements = coset_representatives(group, subgroup)
        return elements, np.full(len(elements), 1 / len(elements))
    connected, weights = _connected_quadrature(group, subgroup, degree)
    parts = np.stack(_components(group, subgroup))
    # Each component of G / H is a copy of the identity component, moved by one of `parts`.
    elements = np.einsum("cij,pjk->cpik", parts, connected).reshape(-1, group.dim, group.dim)
    return elements, np.tile(weights / len(parts), len(parts))


def _first_of_orbits(group: FiniteGroup, left: Array, right: Array) -> Array:
    """The first element of every orbit under products with `left` and `right`."""
    if group.order is None:
        raise GroupError(
            f"{group} is infinite, and so its cosets are not listed; take elements of your own."
        )
    elements = group.representatives
    images = [group.index(h @ elements) for h in left]
    images += [group.index(elements @ h) for h in right]

    # Every element points to the first element of its orbit that has been reached so far. Taking
    # the minimum over images passes smaller numbers on; following the pointers (first[first])
    # doubles the distance in every round. Nothing changes once all orbits are complete.
    first = np.arange(len(elements))
    before = None
    while before is None or not np.array_equal(first, before):
        before = first
        for places in images:
            first = np.minimum(first, first[places])
        first = first[first]
    return elements[np.unique(first)]


def _connected_quadrature(group: Any, subgroup: Symmetry, degree: int) -> tuple[Array, Array]:
    """The quadrature on the identity components of G and H."""
    if subgroup.identity_component == group.identity_component:
        return np.eye(group.dim)[None], np.ones(1)
    if group.dim == 2 or group.axis is not None:
        count = 2 * degree + 1
        turns = np.stack([rotation(2 * np.pi * k / count, group.axis) for k in range(count)])
        return turns, np.full(count, 1 / count)
    from ..functions import SphereGrid, euler_rotation  # loads scipy

    grid = SphereGrid.resolving(degree)
    axis = getattr(subgroup, "axis", None)
    gamma = grid.azimuths if axis is None else grid.azimuths[:1]  # H absorbs the last angle
    turns = euler_rotation(grid.azimuths[:, None], grid.polar[:, None, None], gamma).numpy()
    weights = np.broadcast_to(grid.weights.numpy()[:, None, None], turns.shape[:3]).ravel()
    elements = turns.reshape(-1, 3, 3)
    return elements if axis is None else elements @ _turn_onto_pole(axis), weights / weights.sum()


def _components(group: Any, subgroup: Symmetry) -> list[Array]:
    """One element of every connected component of G / H, the identity first."""
    components: list[Array] = []
    for element in group.representatives:
        if not any(_same_component(group, subgroup, other, element) for other in components):
            components.append(element)
    return components


def _same_component(group: Any, subgroup: Symmetry, first: Array, second: Array) -> bool:
    """Whether two elements of G lie in the same connected component of G / H."""
    return any(
        _in_identity_component(group, first.T @ second @ h) for h in subgroup.representatives
    )


def _in_identity_component(group: Any, element: Array) -> bool:
    fixed = group.axis is None or np.abs(element @ group.axis - group.axis).max() < CLOSE
    return bool(np.linalg.det(element) > 0 and fixed)


def _turn_onto_pole(axis: Array) -> Array:
    """The smallest rotation that maps an axis onto y.

    It is the product of two half turns: about the axis, then about the bisector of axis and y.
    """
    upward = axis if axis @ _POLE >= 0 else -axis
    middle = upward + _POLE
    return _half_turn(middle) @ _half_turn(upward)


def _half_turn(axis: Array) -> Array:
    return 2 * np.outer(axis, axis) / (axis @ axis) - np.eye(3)
