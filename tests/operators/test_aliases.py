"""Operators of finite groups without aliases: counted, orthonormal, equivariant under rotations."""

import itertools

import numpy as np
import pytest

from steerable.functions.polynomials import exponents, factorials
from steerable.groups import SO2, cyclic, dihedral, irrep, regular
from steerable.operators import Symbol, symbol_basis


def flat(basis, order):
    """Elements of one order as rows in which Fischer's product is the ordinary one."""
    weight = np.sqrt(factorials(exponents(basis[0].group.dim, order)))[:, None, None]
    return np.stack([(element.parts[order] * weight).ravel() for element in basis])


@pytest.mark.parametrize(
    ("group", "fewer", "all_"),
    [(cyclic(16), 138, 160), (cyclic(8), 58, 80), (cyclic(4), 26, 40), (dihedral(4), 52, 80)],
    ids=str,
)
def test_operators_of_regular_fields_without_aliases(group, fewer, all_):
    """As in published networks of C16; a large offset leaves nothing out."""
    field = regular(group)
    few, whole = symbol_basis(field, field, 3, maximum_offset=0), symbol_basis(field, field, 3)
    assert (len(few), len(whole), len(symbol_basis(field, field, 3, maximum_offset=4))) == (
        fewer,
        all_,
        all_,
    )
    for n in range(4):
        rows = flat([element for element in few if n in element.parts], n)
        span = flat([element for element in whole if n in element.parts], n)
        np.testing.assert_allclose(rows @ rows.T, np.eye(len(rows)), atol=1e-12)
        np.testing.assert_allclose(rows @ span.T @ span, rows, atol=1e-12)
        assert all(element.is_steerable(1e-12) for element in few)


def test_no_offset_is_equivariance_under_all_rotations():
    """Between irreps of two components; more offsets give more, until all are there."""
    group = cyclic(7)
    for n, m in itertools.product((1, 2, 3), repeat=2):
        few = symbol_basis(irrep(group, str(n)), irrep(group, str(m)), 4, maximum_offset=0)
        wanted = symbol_basis(irrep(SO2(), str(n)), irrep(SO2(), str(m)), 4)
        assert len(few) == len(wanted)
        change = [irrep(group, str(k)).isometry for k in (n, m)]
        for element in few:
            lifted = element.polynomial.between(change[1], change[0].T)
            assert Symbol(irrep(SO2(), str(n)), irrep(SO2(), str(m)), lifted.parts).is_steerable(
                1e-12
            )
        counts = [
            len(symbol_basis(few[0].field_in, few[0].field_out, 9, maximum_offset=t))
            for t in range(4)
        ]
        assert counts == sorted(counts) and counts[0] < counts[1]
        assert counts[-1] == len(symbol_basis(few[0].field_in, few[0].field_out, 9))
