"""Operators between fields: what their algebra keeps, and what does not fit."""

import numpy as np
import pytest
import torch

from oracles.groups import EVERY, name
from steerable.field import Field, FieldMismatchError
from steerable.groups import (
    O2,
    O3,
    SO2,
    SO3,
    GroupError,
    cyclic,
    dihedral,
    irreps,
    point_group,
    regular,
)
from steerable.operators import Symbol, named, symbol_basis


def some_field(group):
    return Field(group, tuple((1, irrep) for irrep in irreps(group, 2)[:3]))


def drawn(group, field_in, field_out, order=3, seed=0):
    """A random steerable operator."""
    rng = np.random.default_rng(seed)
    basis = symbol_basis(field_in, field_out, order)
    return sum((rng.normal() * element for element in basis[1:]), start=rng.normal() * basis[0])


@pytest.mark.parametrize("group", EVERY, ids=name)
def test_sums_products_adjoints_and_laplacians_stay_steerable(group):
    a, b = some_field(group), some_field(group)[:2]
    p, q = drawn(group, a, b, 2), drawn(group, a, b, 2, 1)
    r = drawn(group, b, a, 1, 2)
    for symbol in (p + q, p - 2 * q, -p, p @ r, r @ p, p.adjoint(), p.times_laplacian(2)):
        assert symbol.is_steerable(1e-12)
    broken = p + Symbol(a, b, {1: np.random.default_rng(0).normal(size=(group.dim, b.dim, a.dim))})
    assert broken.is_steerable() == (group.order == 1)


@pytest.mark.parametrize("group", [SO2(), O3(), point_group("T")], ids=name)
def test_composition_and_adjoint_lie_in_their_bases(group):
    a, b = some_field(group), some_field(group)[1:]
    p, q = drawn(group, a, b, 1), drawn(group, b, a, 2, 1)
    for symbol in (p.adjoint(), q @ p, p @ q):
        basis = symbol_basis(symbol.field_in, symbol.field_out, symbol.order)
        found = sum(
            (element.inner(symbol) * element for element in basis[1:]),
            start=basis[0].inner(symbol) * basis[0],
        )
        assert (found - symbol).norm() < 1e-12 * symbol.norm()


def test_adjoint_is_adjoint():
    """<D f, h> = <f, D* h> for waves of one k: P(i k) and P*(i k) are Hermitian conjugates."""
    p = drawn(O3(), some_field(O3()), some_field(O3())[:2])
    k = torch.randn(7, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(p.adjoint().evaluate(1j * k), p.evaluate(1j * k).mH)
    assert (p.adjoint().adjoint() - p).norm() == 0
    q = drawn(O3(), some_field(O3())[:2], some_field(O3()))
    assert ((p @ q).adjoint() - q.adjoint() @ p.adjoint()).norm() < 1e-12


@pytest.mark.parametrize(
    ("group", "subgroup"),
    [
        (O2(), dihedral(5, angle=0.4)),
        (SO2(), cyclic(7)),
        (O3(), SO3()),
        (O3(), point_group("Td")),
        (O3(), point_group("C3v")),
    ],
    ids=name,
)
def test_restriction_is_the_same_operator_in_other_components(group, subgroup):
    field_in, field_out = some_field(group), some_field(group)[:2]
    whole = drawn(group, field_in, field_out)
    part = whole.restrict(subgroup)
    assert part.group == subgroup and part.is_steerable(1e-12)
    assert part.norm() == pytest.approx(whole.norm(), rel=1e-12)
    xi = torch.randn(5, group.dim, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    before, after = field_in.restrict(subgroup), field_out.restrict(subgroup)
    assert (part.field_in, part.field_out) == (before.field, after.field)
    expected = after.matrix @ whole.evaluate(xi) @ before.matrix.T
    torch.testing.assert_close(part.evaluate(xi), expected, rtol=1e-12, atol=1e-12)


def test_restriction_of_a_representation_keeps_its_components():
    group, subgroup = point_group("D4"), point_group("C4")
    element = symbol_basis(regular(group), regular(group), 1)[9]
    part = element.restrict(subgroup)
    assert part.group == subgroup and part.is_steerable(1e-12) and part.field_in.dim == 8
    np.testing.assert_array_equal(part.coefficients(), element.coefficients())


def test_coefficients_there_and_back():
    symbol = named.vector_laplacian(3) + named.identity(named.gradient(3).field_out)
    table = symbol.coefficients()
    assert table.shape == (10, 3, 3) and not table[1:4].any()
    again = Symbol.from_coefficients(symbol.field_in, symbol.field_out, table)
    assert sorted(again.parts) == [0, 1, 2] and (again - symbol).norm() == 0
    empty = Symbol(symbol.field_in, symbol.field_out, {})
    assert empty.coefficients().shape == (1, 3, 3) and empty.order == 0 and empty.is_steerable()
    with pytest.raises(
        ValueError,
        match="Orders 0 to 2 of operators in 3 variables have 10 monomials; got coefficients of 7",
    ):
        Symbol.from_coefficients(symbol.field_in, symbol.field_out, table[:7])


def test_numbers_of_numpy_and_torch_scale():
    symbol = named.gradient(2)
    for factor in (3, 3.0, np.float64(3), np.float32(3), torch.tensor(3.0)):
        for scaled in (
            symbol * factor,
            *([] if isinstance(factor, torch.Tensor) else [factor * symbol]),
        ):
            assert isinstance(scaled, Symbol) and scaled.norm() == pytest.approx(3 * symbol.norm())


def test_texts():
    assert str(named.laplacian(2)) == "d_x^2 + d_y^2"
    assert (
        str(named.gradient(2) @ named.divergence(2)) == "[   d_x^2  d_x d_y ]\n[ d_x d_y    d_y^2 ]"
    )
    assert repr(named.curl()) == "Symbol(1x1o -> 1x1e, O(3), order 1)"


def test_what_does_not_fit_is_named():
    gradient, laplacian = named.gradient(3), named.laplacian(3)
    with pytest.raises(
        FieldMismatchError, match=r"fields of one group; got 1x0e of O\(3\) and 1x1 of SO\(3\)"
    ):
        Symbol(laplacian.field_in, Field.parse("1", SO3()), {})
    with pytest.raises(FieldMismatchError, match="between the same fields"):
        gradient + laplacian
    with pytest.raises(
        FieldMismatchError, match=r"Symbol\(1x0e -> 1x1o.* cannot follow Symbol\(1x0e -> 1x1o"
    ):
        gradient @ gradient
    with pytest.raises(GroupError, match=r"O\(2\) is not a subgroup of O\(3\)"):
        gradient.restrict(O2())
    with pytest.raises(ValueError, match="0 or more times; got -1"):
        laplacian.times_laplacian(-1)
    with pytest.raises(
        ValueError, match=r"coefficients \(monomial, out, in\) = \(3, 3, 1\); got \(3, 1, 3\)"
    ):
        Symbol(gradient.field_in, gradient.field_out, {1: np.zeros((3, 1, 3))})
    with pytest.raises(ValueError, match="finite numbers"):
        gradient * float("nan")
