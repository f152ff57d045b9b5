"""Texts that tell groups apart where their names do not."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .closure import Array, GroupError
from .group import Group
from .named import inversion, mirror, named_group, planar_group
from .permutations import PermutationGroup

_STEP = 1e-6  # of the numbers in a digest: far above rounding, far below what groups differ by


def group_label(group: Any) -> str:
    """The name of a group, and a digest of its elements where the name alone gives another group.

    Mirrors of two planes have one name, as have axial groups about two axes.
    """
    if isinstance(group, PermutationGroup):
        return f"{group} ({digest(group.elements)})"
    if not isinstance(group, Group) or group == _of_name(group.name, group.dim):
        return str(group)
    return f"{group} ({digest(_elements(group))})"


def digest(numbers: ArrayLike) -> str:
    """Eight hexadecimal digits that depend on numbers of about 1, but not on their rounding."""
    steps = np.round(np.asarray(numbers, dtype=np.float64) / _STEP).astype("<i8")
    return hashlib.sha256(steps.tobytes()).hexdigest()[:8]


@cache
def _of_name(name: str, dim: int) -> Group | None:
    """The group that `named_group`, `planar_group`, `mirror` or `inversion` give."""
    try:
        if dim == 3 and name in ("mirror", "inversion"):
            return mirror() if name == "mirror" else inversion()
        return planar_group(name) if dim == 2 else named_group(name)
    except GroupError:
        return None


def _elements(group: Group) -> Array:
    """Numbers (row, number) that groups have in common if and only if they are equal.

    They are the elements of a finite group. Other groups consist of cosets of their rotations:
    what tells these apart are determinants, and whether they turn the axis over.
    """
    cosets = group.representatives
    if group.order is not None:
        rows = cosets.reshape(len(cosets), -1)
    elif group.axis is None:
        rows = np.linalg.det(cosets)[:, None]
    else:
        turned = cosets @ group.axis
        line = np.outer(group.axis, group.axis).ravel()  # the same for both of its directions
        rows = np.column_stack([np.linalg.det(cosets), turned @ group.axis])
        rows = np.column_stack([rows, np.tile(line, (len(rows), 1))])
    steps = np.round(rows / _STEP) + 0.0  # neighbours in the order must not depend on rounding
    return np.unique(steps, axis=0) * _STEP
