"""Groups by name: the classical ones, the axial families, and every point group."""

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
    """The group of the identity alone."""
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
    """C_n: the rotations by multiples of 2 pi / n, of the plane or about z."""
    if dim == 3:
        return point_group(f"C{n}")
    return Group.from_generators([rotation(2 * np.pi / _count(n))], f"C{n}")


def dihedral(n: int, dim: int = 2, angle: float = 0.0) -> Group:
    """D_n: C_n and, in the plane, the reflection whose mirror line lies at `angle`.

    In space half turns.

    Args:
        n: how many rotations.
        dim: 2 or 3.
        angle: of the mirror line to the x axis, or in space of the axis of one half turn, in
            radians.
    """
    if dim == 3:
        return point_group(f"D{n}").conjugate(rotation(angle, _Z), f"D{n}")
    mirror = rotation(angle) @ np.diag([1.0, -1.0]) @ rotation(-angle)
    return Group.from_generators([rotation(2 * np.pi / _count(n)), mirror], f"D{n}")


def mirror(normal: ArrayLike = _Z) -> Group:
    """The reflection of space that turns `normal` (3,) around."""
    turn = _turn_from_z(normal)
    return Group.from_generators([turn @ _HORIZONTAL_MIRROR @ turn.T], "mirror")


def inversion() -> Group:
    """The point reflection of space."""
    return Group.from_generators([_INVERSION], "inversion")


def axial(name: str, axis: ArrayLike = _Z) -> Group:
    """An infinite group of rotations about an axis, with mirrors and half turns.

    Args:
        name: `Cinf` (rotations), `Cinfv` (mirrors that hold the axis), `Cinfh` (the mirror across
            it), `Dinf` (half turns across it) or `Dinfh` (all of these).
        axis: (3,), z by default.
    """
    if name not in _AXIAL:
        raise GroupError(f"An axial group is one of {', '.join(_AXIAL)}; got {name!r}.")
    group = Group.from_generators([rotation(GOLDEN_ANGLE, _Z), *_AXIAL[name]], name)
    return group.conjugate(_turn_from_z(axis), name)


def point_group(name: str) -> Group:
    """A finite point group by its Schoenflies name or its Hermann-Mauguin name.

    Schoenflies names have any n; the others are the 32 of crystals.

    The main axis is z and half turns of D_n lie on x; C_nv has a mirror at y = 0; the cubic and
    icosahedral groups have their twofold or fourfold axes on x, y, z.

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
            f"Ci, Cs, or as 4/mmm, m-3m; got {name!r}."
        )
    return Group.from_generators(generators, schoenflies)


def named_group(name: str) -> Group:
    """The group of that name.

    O(3), SO(3), O(2), SO(2), trivial, Cinfv and its like about z, or a point group.

    Raises:
        GroupError: no group has this name.
    """
    classical = {"O(3)": O3, "SO(3)": SO3, "O(2)": O2, "SO(2)": SO2, "trivial": trivial}
    if name in classical:
        return classical[name]()
    try:
        return axial(name) if "inf" in name else point_group(name)
    except GroupError as error:
        known = {known.upper(): known for known in [*classical, *_AXIAL]}
        near = get_close_matches(name.upper(), known, n=1, cutoff=0.5)
        hint = f" Did you mean {known[near[0]]!r}?" if near else ""
        raise GroupError(
            f"A group's name is one of {', '.join(classical)}, or: {error}{hint}"
        ) from error


def planar_group(name: str) -> Group:
    """The group of the plane of that name.

    SO(2), O(2), trivial, C4 and its like, or D4 and its like.

    Raises:
        GroupError: no group of the plane has this name.
    """
    classical = {"SO(2)": SO2(), "O(2)": O2(), "trivial": trivial(2)}
    if name in classical:
        return classical[name]
    if found := re.fullmatch(r"([CD])([1-9]\d*)", name):
        return (cyclic if found[1] == "C" else dihedral)(int(found[2]))
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
    """A rotation that takes z to `axis`."""
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
