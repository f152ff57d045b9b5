"""Groups by name: the classical groups, the axial families, and all point groups."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from .closure import GOLDEN_ANGLE, MAX_ORDER, Array, GroupError, rotation
from .group import Group

_X, _Z = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)
_DIAGONAL = (1.0, 1.0, 1.0)
_FIVEFOLD = (0.0, 1.0, (1 + 5**0.5) / 2)
_INVERSION = -np.eye(3)
_HORIZONTAL_MIRROR = np.diag([1.0, 1.0, -1.0])
_VERTICAL_MIRROR = np.diag([1.0, -1.0, 1.0])
_HALF_TURN = np.diag([1.0, -1.0, -1.0])

HERMANN_MAUGUIN = {
    "1": "C1", "-1": "Ci", "2": "C2", "m": "Cs",
    "2/m": "C2h", "222": "D2", "mm2": "C2v", "mmm": "D2h",
    "4": "C4", "-4": "S4", "4/m": "C4h", "422": "D4", "4mm": "C4v", "-42m": "D2d", "4/mmm": "D4h",
    "3": "C3", "-3": "S6", "32": "D3", "3m": "C3v", "-3m": "D3d",
    "6": "C6", "-6": "C3h", "6/m": "C6h", "622": "D6", "6mm": "C6v", "-6m2": "D3h", "6/mmm": "D6h",
    "23": "T", "m-3": "Th", "432": "O", "-43m": "Td", "m-3m": "Oh",
}  # fmt: skip


_AXIAL: dict[str, list[Array]] = {
    "Cinf": [],
    "Cinfv": [_VERTICAL_MIRROR],
    "Cinfh": [_HORIZONTAL_MIRROR],
    "Dinf": [_HALF_TURN],
    "Dinfh": [_HALF_TURN, _HORIZONTAL_MIRROR],
}


@cache
def trivial(dim: int = 3) -> Group:
    """The group whose only element is the identity."""
    return Group("trivial", np.eye(dim)[None])


@cache
def SO2() -> Group:
    """All rotations of the plane."""
    return Group("SO(2)", rotation(GOLDEN_ANGLE)[None])


@cache
def O2() -> Group:
    """All rotations and reflections of the plane."""
    return Group("O(2)", np.stack([rotation(GOLDEN_ANGLE), np.diag([1.0, -1.0])]))


@cache
def SO3() -> Group:
    """All rotations of space."""
    return Group("SO(3)", np.stack([rotation(GOLDEN_ANGLE, _Z), rotation(GOLDEN_ANGLE, _X)]))


@cache
def O3() -> Group:
    """All rotations and reflections of space."""
    return Group("O(3)", np.concatenate([SO3().generators, _INVERSION[None]]))


def cyclic(n: int, dim: int = 2) -> Group:
    """C_n: the rotations by multiples of 2 pi / n, in the plane or about the z axis."""
    if dim == 3:
        return point_group(f"C{n}")
    return Group.from_generators([rotation(2 * np.pi / _count(n))], f"C{n}")


def dihedral(n: int, dim: int = 2, angle: float = 0.0) -> Group:
    """D_n: C_n together with reflections (in the plane) or half turns (in space).

    Args:
        n: the number of rotations.
        dim: 2 or 3.
        angle: the angle in radians between the x axis and one mirror line, or in space between the
            x axis and the axis of one half turn.
    """
    if dim == 3:
        return point_group(f"D{n}").conjugate(rotation(angle, _Z), f"D{n}")
    mirror = rotation(angle) @ np.diag([1.0, -1.0]) @ rotation(-angle)
    return Group.from_generators([rotation(2 * np.pi / _count(n)), mirror], f"D{n}")


def mirror(normal: ArrayLike = _Z) -> Group:
    """The reflection of space across the plane with the given `normal` (3,)."""
    turn = _turn_from_z(normal)
    return Group.from_generators([turn @ _HORIZONTAL_MIRROR @ turn.T], "mirror")


def inversion() -> Group:
    """The point reflection x -> -x of space."""
    return Group.from_generators([_INVERSION], "inversion")


def axial(name: str, axis: ArrayLike = _Z) -> Group:
    """An infinite group: all rotations about an axis, optionally with mirrors and half turns.

    Args:
        name: `Cinf` (rotations only), `Cinfv` (mirrors that contain the axis), `Cinfh` (the mirror
            perpendicular to the axis), `Dinf` (half turns about axes perpendicular to it) or
            `Dinfh` (all of these).
        axis: the axis (3,); z by default.

    Raises:
        GroupError: the name is not one of these, or the axis is not a finite non-zero vector.
    """
    if name not in _AXIAL:
        raise GroupError(f"An axial group is one of {', '.join(_AXIAL)}; got {name!r}.")
    group = Group.from_generators([rotation(GOLDEN_ANGLE, _Z), *_AXIAL[name]], name)
    return group.conjugate(_turn_from_z(axis), name)


def point_group(name: str) -> Group:
    """A finite point group by its Schoenflies or Hermann-Mauguin name.

    Schoenflies names may have any n; Hermann-Mauguin names are those of the 32 crystallographic
    point groups. The main axis is z, D_n has a half turn about x, C_nv has the mirror y = 0, and
    the cubic and icosahedral groups have their twofold or fourfold axes along x, y and z.

    Args:
        name: such as `"D4h"`, `"4/mmm"`, `"C3v"`, `"S6"`, `"Td"`, `"Ih"`.

    Raises:
        GroupError: no point group has this name.
    """
    schoenflies = HERMANN_MAUGUIN.get(name, name)
    generators = _polyhedral(schoenflies) or _principal(schoenflies)
    if generators is None:
        raise GroupError(
            "A point group is named like C3, C3v, C3h, S6, D4, D4h, D2d, T, Td, Th, O, Oh, I, Ih, "
            f"Ci, Cs, or like 4/mmm, m-3m; got {name!r}."
        )
    return Group.from_generators(generators, schoenflies)


def named_group(name: str) -> Group:
    """The group with the given name.

    Args:
        name: `"O(3)"`, `"SO(3)"`, `"O(2)"`, `"SO(2)"`, `"trivial"`, an `axial` group about z such
            as `"Cinfv"`, or a `point_group`.

    Raises:
        GroupError: no group has this name.
    """
    classical = {"O(3)": O3, "SO(3)": SO3, "O(2)": O2, "SO(2)": SO2, "trivial": trivial}
    if name in classical:
        return classical[name]()
    try:
        return axial(name) if "inf" in name else point_group(name)
    except GroupError as error:
        names = {choice.upper(): choice for choice in [*classical, *_AXIAL]}
        near = get_close_matches(name.upper(), names, n=1, cutoff=0.5)
        hint = f" Did you mean {names[near[0]]!r}?" if near else ""
        raise GroupError(
            f"A group's name is one of {', '.join(classical)}, or: {error}{hint}"
        ) from error


def planar_group(name: str) -> Group:
    """The group of the plane with the given name.

    Args:
        name: `"SO(2)"`, `"O(2)"`, `"trivial"`, a cyclic group such as `"C4"` or a dihedral group
            such as `"D4"`.

    Raises:
        GroupError: no group of the plane has this name.
    """
    classical = {"SO(2)": SO2(), "O(2)": O2(), "trivial": trivial(2)}
    if name in classical:
        return classical[name]
    if match := re.fullmatch(r"([CD])([1-9]\d*)", name):
        return (cyclic if match[1] == "C" else dihedral)(int(match[2]))
    raise GroupError(
        f"A group of the plane is one of {', '.join(classical)}, C1, C2, .., D1, D2, ..; got "
        f"{name!r}."
    )


def _count(n: int) -> int:
    if n < 1:
        raise GroupError(f"A cyclic or dihedral group needs n of at least 1; got {n}.")
    if n > MAX_ORDER:
        raise GroupError(
            f"A finite group has at most {MAX_ORDER} elements; got n = {n}. Use SO2() or "
            "axial('Cinf')."
        )
    return n


def _turn_from_z(axis: ArrayLike) -> Array:
    """A rotation that maps z to `axis`."""
    goal = np.asarray(axis, dtype=np.float64)
    if goal.shape != (3,) or not np.isfinite(goal).all() or not goal.any():
        raise GroupError(f"An axis is three finite numbers, not all zero; got {axis!r}.")
    goal = goal / np.linalg.norm(goal)
    across = np.cross(_Z, goal)
    if np.linalg.norm(across) < 1e-12:
        return np.eye(3) if goal[2] > 0 else _HALF_TURN
    return rotation(float(np.arctan2(np.linalg.norm(across), goal[2])), across)


def _polyhedral(name: str) -> list[Array] | None:
    tetrahedral = [rotation(np.pi, _Z), rotation(2 * np.pi / 3, _DIAGONAL)]
    octahedral = [rotation(np.pi / 2, _Z), tetrahedral[1]]
    icosahedral = [rotation(2 * np.pi / 5, _FIVEFOLD), tetrahedral[1]]
    return {
        "T": tetrahedral,
        "Td": [*tetrahedral, rotation(np.pi / 2, _Z) @ _HORIZONTAL_MIRROR],
        "Th": [*tetrahedral, _INVERSION],
        "O": octahedral,
        "Oh": [*octahedral, _INVERSION],
        "I": icosahedral,
        "Ih": [*icosahedral, _INVERSION],
    }.get(name)


def _principal(name: str) -> list[Array] | None:
    if name == "Cs":
        return [_HORIZONTAL_MIRROR]
    if name == "Ci":
        return [_INVERSION]
    match = re.fullmatch(r"([CDS])([1-9]\d*)([vhd]?)", name)
    if not match:
        return None
    family, n, suffix = match[1], _count(int(match[2])), match[3]
    turn = rotation(2 * np.pi / n, _Z)
    if family == "S":
        return [turn @ _HORIZONTAL_MIRROR] if n % 2 == 0 and not suffix else None
    if family == "C":
        return {"": [turn], "v": [turn, _VERTICAL_MIRROR], "h": [turn, _HORIZONTAL_MIRROR]}.get(
            suffix
        )
    improper = rotation(np.pi / n, _Z) @ _HORIZONTAL_MIRROR
    return {
        "": [turn, _HALF_TURN],
        "h": [turn, _HALF_TURN, _HORIZONTAL_MIRROR],
        "d": [improper, _HALF_TURN],
    }.get(suffix)
