"""All operators that commute with a group, up to an order."""

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
    """A basis of the operators of orders 0 to `order` that commute with the group.

    It is orthonormal in Fischer's product.

    Every polynomial of degree n is a sum of |xi|^(n - j) Y_j(xi), j = n, n - 2, ..., and Y_j turns
    as the harmonics H_j: so the operators are Hom(H_j (x) V_in, V_out) for all these j, solved for
    every pair of irreps. Elements are homogeneous, lower orders first. Copies of an irrep all
    count: ask for one of each and make the others channels.

    Args:
        field_in: type of the input, a Field or a Representation of any closed subgroup of O(2) or
            O(3).
        field_out: type of the output.
        order: the highest order of a derivative.
        exact_order: leave lower orders out.
        maximum_offset: for a finite group of the plane, how often the number of its rotations may
            be added to a frequency (see `aliases`). None, any number, alone is complete; published
            networks take 0.

    Raises:
        FieldMismatchError: fields of different groups.
        ValueError: an order or offset below 0, or an offset where nothing is aliased.

    Source: Jenner & Weiler 2022, arXiv:2106.10163, with Fischer's decomposition.
    """
    if field_in.group != field_out.group:
        raise FieldMismatchError(
            f"Operators join fields of one group; got {field_in} of {field_in.group} and "
            f"{field_out} of {field_out.group}. Restrict the larger group's field first."
        )
    if order < 0:
        raise ValueError(f"The order of an operator is 0 or more; got {order}.")
    found = []
    for n in range(order if exact_order else 0, order + 1):
        for irrep_in, change_in in irreducible_parts(field_in):
            for irrep_out, change_out in irreducible_parts(field_out):
                solved = _homogeneous(irrep_in, irrep_out, n, maximum_offset)
                found += [
                    Symbol(field_in, field_out, {n: part})
                    for part in change_out @ solved @ change_in.T
                ]
    return found


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
    tensors = np.concatenate(
        [
            np.einsum("poki,hk->pohi", coupling(part, irrep_in, irrep_out), isometry)
            for part, isometry in _harmonic_parts(irrep_in.group, degree)
        ]
    )
    if maximum_offset is not None:
        tensors = without_aliases(tensors, degree, irrep_in, irrep_out, maximum_offset)
    tensors.flags.writeable = False
    return tensors


@cache
def _homogeneous(
    irrep_in: Irrep, irrep_out: Irrep, order: int, maximum_offset: int | None
) -> Array:
    """The operators of one order between two irreps: (operator, monomial, out, in)."""
    dim = irrep_in.group.dim
    weights = factorials(exponents(dim, order))
    found = []
    for degree, polynomials in harmonic_polynomials(dim, order):
        norm = np.sqrt((polynomials[0] ** 2 * weights).sum())  # the same for every component
        tensors = harmonic_couplings(degree, irrep_in, irrep_out, maximum_offset)
        found.append(np.einsum("pohi,hm->pmoi", tensors, polynomials / norm))
    return np.concatenate(found)


def _harmonic(group: Symmetry, degree: int) -> Harmonic:
    """H_j, with the parity of Y_j where there are reflections to see it."""
    return Harmonic(
        group, degree, (-1) ** degree if group.dim == 3 and group.has_reflections else 1
    )


@cache
def _harmonic_parts(group: Symmetry, degree: int) -> list[tuple[Irrep, Array]]:
    """The irreps in H_j, each with its isometry (component, irrep.dim)."""
    harmonic = _harmonic(group, degree)
    for known in irreps(group, degree):
        if (
            known.harmonic == harmonic and known.dim == harmonic.dim
        ):  # spares the search where H_j is irreducible
            return [(known, known.isometry)]
    return decompose(harmonic)
