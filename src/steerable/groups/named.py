"""The groups that most users ask for by name."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache

import numpy as np

from .group import GOLDEN_ANGLE, Group, GroupError, rotation

_X, _Z = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)


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
    return Group("O(3)", np.concatenate([SO3().generators, -np.eye(3)[None]]))


_NAMED = {"O(3)": O3, "SO(3)": SO3, "O(2)": O2, "SO(2)": SO2, "trivial": trivial}


def named_group(name: str) -> Group:
    """The group of that name: O(3), SO(3), O(2), SO(2) or trivial.

    Raises:
        GroupError: no group has this name.
    """
    if name not in _NAMED:
        near = get_close_matches(name, _NAMED, n=1, cutoff=0.3)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise GroupError(f"A group's name is one of {', '.join(_NAMED)}; got {name!r}.{hint}")
    return _NAMED[name]()
