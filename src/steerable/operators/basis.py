"""Bases of the differential operators up to some order that commute with a group."""

from __future__ import annotations

from functools import cache

import numpy as np

from ..field import FieldMismatchError
from ..functions import exponents, factorials, harmonic_polynomials
from ..groups import Harmonic, Irrep, Symmetry, coupling, decompose, irreps
from .aliases import without_aliases
from .field_types import FieldType, irreducible_parts
from .polynomial import Array
from .symbol import Symbol


def symbol_basis(
    field_in: FieldType,
    field_out: FieldType,
    order: int,
    exact_order: bool = False,
    maximum_offset: int | None = None,
) -> list[Symbol]:
    """A basis of the differential operators of orders 0 to `order` that commute with the group.

    It is orthonormal in the Fischer inner product. Every polynomial of degree n is a sum of
    |xi|^(n - j) Y_j(xi) with j = n, n - 2, ..., and Y_j transforms like the harmonics H_j. The
    operators are therefore Hom(H_j (x) V_in, V_out) for all these j, solved for every pair of
    irreps. The elements are homogeneous, lower orders first. Every copy of an irrep adds operators,
    so pass one copy of each and treat the others as channels.

    Args:
        field_in: type of the input, a Field or a Representation of any closed subgroup of O(2) or
            O(3).
        field_out: type of the output.
        order: the highest order of a derivative.
        exact_order: whether to return only operators of exactly this order.
        maximum_offset: for a finite group of the plane, how often the number of its rotations may
            be added to a frequency (see `aliases`). The basis is complete only for None, which sets
            no limit; published networks use 0.

    Raises:
        FieldMismatchError: the fields belong to different groups.
        ValueError: the order or offset is negative, or an offset is given for a group without
            aliases.

    Source: Jenner & Weiler 2022, arXiv:2106.10163, with Fischer's decomposition.
    """
    if field_in.group != field_out.group:
        raise FieldMismatchError(
            f"Operators need fields of one group; got {field_in} of {field_in.group} and "
            f"{field_out} of {field_out.group}. Restrict the larger group's field first."
        )
    if order < 0:
        raise ValueError(f"The order of an operator is 0 or more; got {order}.")
    basis = []
    for n in range(order if exact_order else 0, order + 1):
        for irrep_in, change_in in irreducible_parts(field_in):
            for irrep_out, change_out in irreducible_parts(field_out):
                between_irreps = _homogeneous(irrep_in, irrep_out, n, maximum_offset)
                parts = change_out @ between_irreps @ change_in.T
                basis += [Symbol(field_in, field_out, {n: part}) for part in parts]
    return basis


@cache
def harmonic_couplings(
    degree: int, irrep_in: Irrep, irrep_out: Irrep, maximum_offset: int | None = None
) -> Array:
    """An orthonormal basis of Hom(H_j (x) V_in, V_out), for irreps of any group.

    H_j are the harmonics of degree j.

    Returns:
        (path, out, component of `functions.solid_harmonics`, in), read-only.

    Raises:
        ValueError: see `symbol_basis`.
    """
    blocks = [
        np.einsum("poki,hk->pohi", coupling(part, irrep_in, irrep_out), isometry)
        for part, isometry in _harmonic_parts(irrep_in.group, degree)
    ]
    tensors = np.concatenate(blocks)
    if maximum_offset is not None:
        tensors = without_aliases(tensors, degree, irrep_in, irrep_out, maximum_offset)
    tensors.flags.writeable = False
    return tensors


@cache
def _homogeneous(
    irrep_in: Irrep, irrep_out: Irrep, order: int, maximum_offset: int | None
) -> Array:
    """The operators (operator, monomial, out, in) of one order between two irreps."""
    dim = irrep_in.group.dim
    weights = factorials(exponents(dim, order))
    operators = []
    for degree, polynomials in harmonic_polynomials(dim, order):
        norm = np.sqrt((polynomials[0] ** 2 * weights).sum())  # the same for every component
        tensors = harmonic_couplings(degree, irrep_in, irrep_out, maximum_offset)
        operators.append(np.einsum("pohi,hm->pmoi", tensors, polynomials / norm))
    return np.concatenate(operators)


def _harmonic(group: Symmetry, degree: int) -> Harmonic:
    """H_j, with the parity of Y_j if the group has reflections."""
    parity = (-1) ** degree if group.dim == 3 and group.has_reflections else 1
    return Harmonic(group, degree, parity)


@cache
def _harmonic_parts(group: Symmetry, degree: int) -> list[tuple[Irrep, Array]]:
    """The irreps in H_j, each with its isometry (component, irrep.dim)."""
    harmonic = _harmonic(group, degree)
    for irrep in irreps(group, degree):
        # If H_j is irreducible there is nothing to decompose.
        if irrep.harmonic == harmonic and irrep.dim == harmonic.dim:
            return [(irrep, irrep.isometry)]
    return decompose(harmonic)
