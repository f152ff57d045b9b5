"""Aliases: operators that commute with finitely many rotations of the plane, but not with all."""

from __future__ import annotations

import numpy as np

from ..groups import Irrep, null_space, orthonormal_rows
from .polynomial import Array

_QUARTER_TURN = np.array([[0.0, -1.0], [1.0, 0.0]])


def without_aliases(
    tensors: Array, degree: int, irrep_in: Irrep, irrep_out: Irrep, maximum_offset: int
) -> Array:
    """The equivariant maps H_j (x) V_in -> V_out with an offset of at most `maximum_offset`.

    N rotations cannot distinguish frequency m from m + N. Between irreps of two components with
    frequencies n and m, harmonics of the frequencies |m - n + t N| and |m + n + t N| therefore give
    operators. The number t is their offset, and operators of offset 0 commute with all rotations.
    An irrep of one component has no orientation, so its frequency, 0 or N/2, counts only together
    with that of the other irrep: the harmonics are those of frequency |m + n + t N|, and
    |m - n| + |t| N if both have one component.

    Args:
        tensors: orthonormal maps (path, out, component, in), for harmonics of one degree.
        degree: j, the degree of the harmonics.
        irrep_in: V_in, of a finite group of the plane.
        irrep_out: V_out.
        maximum_offset: the largest |t| to keep.

    Returns:
        Orthonormal maps, as many or fewer.

    Raises:
        ValueError: the offset is negative, or the group has no aliases.
    """
    group, m, n = irrep_in.group, irrep_out.harmonic.degree, irrep_in.harmonic.degree
    if group.dim != 2 or group.order is None:
        raise ValueError(
            f"maximum_offset is for finite groups of the plane; got {group}. Leave it None."
        )
    if maximum_offset < 0:
        raise ValueError(
            f"maximum_offset is 0 or more, or None for all operators; got {maximum_offset}."
        )
    period = group.order // (2 if group.has_reflections else 1)
    if not len(tensors):
        return tensors
    if irrep_in.dim == irrep_out.dim == 1:
        return tensors if degree <= abs(m - n) + maximum_offset * period else tensors[:0]
    both = irrep_in.dim == irrep_out.dim
    turn_in, turn_out = _turn(irrep_in), _turn(irrep_out)
    generator = degree * _QUARTER_TURN if degree else np.zeros((1, 1))
    on_harmonics = np.einsum("pohi,hk->poki", tensors, generator)

    # The derivative of a rotation by the angle is frequency times the quarter turn. A map of offset
    # t commutes with these generators once t N is added to the output frequency.
    maps = [tensors[:0]]
    for t in range(-maximum_offset, maximum_offset + 1):
        after, before = (m + t * period, n) if both else (m + n + t * period,) * 2
        error = (
            after * np.einsum("oq,pqhi->pohi", turn_out, tensors)
            - before * (tensors @ turn_in)
            - on_harmonics
        )
        combinations = orthonormal_rows(null_space(error.reshape(len(tensors), -1).T))
        maps.append(np.tensordot(combinations, tensors, 1))
    return np.concatenate(maps)


def _turn(irrep: Irrep) -> Array:
    """The generator of rotations in an irrep, divided by its frequency; 0 for one component."""
    quarter = _QUARTER_TURN if irrep.harmonic.dim == 2 else np.zeros((1, 1))
    generator: Array = irrep.isometry.T @ quarter @ irrep.isometry
    return generator
