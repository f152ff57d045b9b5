"""Bases of steerable operators: counts, completeness, and equivariance, for every group."""

import itertools
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from oracles.groups import EVERY, name
from steerable.field import Field, FieldMismatchError
from steerable.functions.polynomials import exponents, factorials, harmonic_polynomials
from steerable.groups import (
    O2,
    O3,
    SO2,
    SO3,
    Group,
    Induced,
    Product,
    Representation,
    cyclic,
    dihedral,
    intertwiners,
    irrep,
    irreps,
    point_group,
    quotient,
    regular,
    trivial,
)
from steerable.operators import MatrixPolynomial, harmonic_couplings, symbol_basis

# Dimensions by homogeneous order 0 to 4, from a null space solved apart from the library (numpy,
# SVD).
TABLE = {
    "SO2": {
        (1, 0, 1, 0, 1): "0-0",
        (0, 2, 0, 2, 0): "0-1 1-0",
        (0, 0, 2, 0, 2): "0-2 2-0",
        (0, 0, 0, 2, 0): "0-3 3-0",
        (2, 0, 4, 0, 4): "1-1",
        (0, 2, 0, 4, 0): "1-2 2-1",
        (2, 0, 2, 0, 4): "2-2",
        (0, 0, 2, 0, 4): "1-3",
        (2, 0, 2, 0, 2): "3-3",
    },
    "O2": {
        (1, 0, 1, 0, 1): "0e-0e 0o-0o",
        (0, 0, 0, 0, 0): "0e-0o 0o-0e",
        (0, 1, 0, 1, 0): "0e-1 0o-1 1-0e 1-0o",
        (0, 0, 1, 0, 1): "0e-2 0o-2 2-0e 2-0o",
        (1, 0, 2, 0, 2): "1-1",
        (0, 1, 0, 2, 0): "1-2 2-1",
        (1, 0, 1, 0, 2): "2-2",
        (0, 0, 0, 1, 0): "0e-3",
        (0, 0, 1, 0, 2): "1-3",
    },
    "C4": {
        (1, 0, 1, 0, 3): "0-0 2-2",
        (0, 0, 2, 0, 2): "0-2 2-0",
        (0, 2, 0, 4, 0): "0-1 1-0 1-2 2-1",
        (2, 0, 6, 0, 10): "1-1",
        (1, 2, 3, 4, 5): "0-regular",
        (4, 8, 12, 16, 20): "regular-regular",
    },
    "C8": {(8, 16, 24, 32, 40): "regular-regular"},
    "C16": {(16, 32, 48, 64, 80): "regular-regular"},
    "D4": {  # 0 is A1, 1 is A2, 2 is E, 3 and 4 are B1 and B2
        (1, 0, 1, 0, 2): "0-0 1-1 3-3 4-4",
        (0, 0, 0, 0, 1): "0-1 1-0 3-4 4-3",
        (0, 0, 1, 0, 1): "0-3 0-4 1-3 1-4 3-0 4-0 3-1 4-1",
        (0, 1, 0, 2, 0): "0-2 1-2 3-2 4-2 2-0 2-1 2-3 2-4",
        (1, 0, 3, 0, 5): "2-2",
        (1, 2, 3, 4, 5): "0-regular",
        (8, 16, 24, 32, 40): "regular-regular",
    },
    "SO3": {
        (1, 0, 1, 0, 1): "0-0",
        (0, 1, 0, 1, 0): "0-1 1-0",
        (0, 0, 1, 0, 1): "0-2 2-0",
        (0, 0, 0, 1, 0): "0-3",
        (1, 1, 2, 1, 2): "1-1",
        (0, 1, 1, 2, 1): "1-2 2-1",
        (1, 1, 2, 2, 3): "2-2 3-3",
        (0, 0, 1, 1, 2): "1-3",
    },
    "O3": {
        (1, 0, 1, 0, 1): "0e-0e",
        (0, 0, 0, 0, 0): "0e-0o 0e-1e 0e-2o 1o-0o",
        (0, 1, 0, 1, 0): "0e-1o 1o-0e 1o-1e",
        (0, 0, 1, 0, 1): "0e-2e 2e-0e 1o-2o",
        (0, 0, 0, 1, 0): "0e-3o",
        (1, 0, 2, 0, 2): "1o-1o",
        (0, 1, 0, 2, 0): "1o-2e 2e-1o 2e-2o 2e-3o",
        (1, 0, 2, 0, 3): "2e-2e",
        (0, 0, 1, 0, 2): "1o-3o",
    },
}
GROUPS = {
    "SO2": SO2(), "O2": O2(), "C4": cyclic(4), "C8": cyclic(8),
    "C16": cyclic(16), "D4": dihedral(4), "SO3": SO3(),
    "O3": O3(),
}  # fmt: skip
ROWS = [
    (group, pair, counts)
    for group, rows in TABLE.items()
    for counts, pairs in rows.items()
    for pair in pairs.split()
]


@dataclass(frozen=True)
class Powers:
    """Sym^n: how the monomials x^a / sqrt(a!) of one degree turn.

    It is computed from their values at points.
    """

    group: Group
    degree: int

    @property
    def dim(self) -> int:
        return len(exponents(self.group.dim, self.degree))

    def values(self, x):
        powers = exponents(self.group.dim, self.degree)
        return (x[:, None] ** powers).prod(2) / factorials(powers) ** 0.5

    def matrices(self, elements):
        x = np.random.default_rng(0).normal(size=(4 * self.dim + 4, self.group.dim))
        turned = [
            np.linalg.lstsq(self.values(x), self.values(x @ g.T), rcond=None)[0].T for g in elements
        ]
        return np.stack(turned)


@dataclass(frozen=True)
class Turned:
    """A sum of irreps in a basis of no meaning."""

    group: Group
    parts: tuple[Representation, ...]

    @property
    def dim(self) -> int:
        return sum(part.dim for part in self.parts)

    def matrices(self, elements):
        change, _ = np.linalg.qr(np.random.default_rng(7).normal(size=(self.dim, self.dim)))
        result, start = np.zeros((len(elements), self.dim, self.dim)), 0
        for part in self.parts:
            at = slice(start, start + part.dim)
            result[:, at, at] = part.matrices(elements)
            start += part.dim
        return change @ result @ change.T


def kind(group, text):
    return regular(group) if text == "regular" else irrep(group, text)


def draw(group, count=5, seed=0):
    return group.sample(count, torch.Generator().manual_seed(seed))


def some_field(group, count=4):
    return Field(group, tuple((1, found) for found in irreps(group, 3)[:count]))


def flat(basis, order):
    """Elements of one order as rows in which Fischer's product is the ordinary one."""
    weight = np.sqrt(factorials(exponents(basis[0].group.dim, order)))[:, None, None]
    return np.stack([(element.parts[order] * weight).ravel() for element in basis])


@pytest.mark.parametrize(
    ("group", "pair", "counts"), ROWS, ids=lambda part: part if isinstance(part, str) else ""
)
def test_the_table_of_dimensions(group, pair, counts):
    field_in, field_out = (kind(GROUPS[group], text) for text in pair.split("-"))
    assert (
        tuple(len(symbol_basis(field_in, field_out, n, exact_order=True)) for n in range(5))
        == counts
    )
    whole = symbol_basis(field_in, field_out, 3)
    assert [element.order for element in whole] == sorted(
        n for n in range(4) for _ in range(counts[n])
    )


def test_regular_fields_of_the_octahedral_group():
    group = point_group("O")
    assert len(symbol_basis(regular(group), regular(group), 2)) == 240
    assert len(symbol_basis(irreps(group)[0], regular(group), 3)) == 20
    assert len(symbol_basis(quotient(group, point_group("C4")), irreps(group)[0], 2)) == 2 + 2 + 0


def symmetric_characters(elements, order):
    """Traces of Sym^n from 1 / det(1 - t g) = sum of t^n trace(Sym^n g)."""
    eigenvalues = np.linalg.eigvals(elements)
    series = np.zeros((len(elements), order + 1), dtype=complex)
    series[:, 0] = 1
    for k in range(elements.shape[1]):
        for n in range(1, order + 1):
            series[:, n] += eigenvalues[:, k] * series[:, n - 1]
    return series.real


def every_element(group):
    """Elements whose mean is the group's average of low frequencies."""
    if group.order:
        return group.representatives
    n = 48
    c, s = np.cos(2 * np.pi * np.arange(n) / n), np.sin(2 * np.pi * np.arange(n) / n)
    if group.dim == 2:
        turns = np.stack([np.stack([c, -s], -1), np.stack([s, c], -1)], -2)
    else:
        a = group.axis
        cross = np.cross(np.eye(3), a)
        turns = (
            c[:, None, None] * np.eye(3)
            + (1 - c)[:, None, None] * np.outer(a, a)
            - s[:, None, None] * cross
        )
    return (group.representatives[:, None] @ turns).reshape(-1, group.dim, group.dim)


@pytest.mark.parametrize(
    "group",
    [group for group in EVERY if group.order or group.dim == 2 or group.axis is not None],
    ids=name,
)
def test_molien_counts_operators_by_characters(group):
    elements = every_element(group)
    powers = symmetric_characters(elements, 4)
    known = irreps(group, 3)[:5]
    traces = {found.name: np.trace(found.matrices(elements), axis1=1, axis2=2) for found in known}
    for a, b in itertools.product(known, repeat=2):
        for n in range(5):
            expected = (traces[a.name] * traces[b.name] * powers[:, n]).mean()
            assert len(symbol_basis(a, b, n, exact_order=True)) == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("group", [O3(), SO3()], ids=name)
def test_degrees_that_join_two_irreps_of_all_rotations(group):
    for a, b in itertools.product(irreps(group, 3), repeat=2):
        l, k = a.harmonic.degree, b.harmonic.degree
        sign = a.harmonic.parity * b.harmonic.parity
        for n in range(5):
            degrees = [j for j in range(n, -1, -2) if abs(l - k) <= j <= l + k]
            expected = len(degrees) if not group.has_reflections or sign == (-1) ** n else 0
            assert len(symbol_basis(a, b, n, exact_order=True)) == expected


FIELDS = [(group, some_field(group), some_field(group)) for group in EVERY]
OTHERS = [
    (dihedral(3, angle=0.3), regular(dihedral(3, angle=0.3)), some_field(dihedral(3, angle=0.3))),
    (dihedral(1, angle=1.1), regular(dihedral(1, angle=1.1)), regular(dihedral(1, angle=1.1))),
    (point_group("T"), quotient(point_group("T"), point_group("C2")), irreps(point_group("T"))[2]),
    (
        point_group("D3"),
        Induced(point_group("D3"), irreps(point_group("C3"))[1]),
        regular(point_group("D3")),
    ),
    (O2(), Turned(O2(), tuple(irreps(O2(), 2))), some_field(O2())),
    (O3(), Turned(O3(), tuple(irreps(O3(), 1))), Turned(O3(), tuple(irreps(O3(), 2)[1:4]))),
]


@pytest.mark.parametrize(
    ("group", "field_in", "field_out"), FIELDS + OTHERS, ids=lambda part: getattr(part, "name", "")
)
def test_every_element_commutes_with_drawn_symmetries(group, field_in, field_out):
    """P(g xi) = rho_out(g) P(xi) rho_in(g)^-1 by values, for random xi and g.

    Reflections are among them.
    """
    elements = torch.cat([draw(group), torch.from_numpy(group.representatives[-1:])])
    assert (torch.linalg.det(elements) < 0).any() == group.has_reflections
    xi = torch.randn(3, group.dim, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    xi = xi / xi.norm(dim=1, keepdim=True)
    before, after = (
        kind.matrix(elements)
        if isinstance(kind, Field)
        else torch.from_numpy(kind.matrices(elements.numpy()))
        for kind in (field_in, field_out)
    )
    for n in range(4):
        basis = symbol_basis(field_in, field_out, n, exact_order=True)
        stacked = MatrixPolynomial(
            group.dim,
            (len(basis) * field_out.dim, field_in.dim),
            {n: np.concatenate([element.parts[n] for element in basis], axis=1)} if basis else {},
        )
        turned, fixed = (
            stacked.evaluate(x).unflatten(-2, (len(basis), field_out.dim))
            for x in (torch.einsum("gij,xj->xgi", elements, xi), xi[:, None])
        )
        torch.testing.assert_close(
            turned, after[:, None] @ fixed @ before.mT[:, None], rtol=0, atol=1e-12
        )
        assert all(element.is_steerable(1e-12) for element in basis[::7])
    assert len(symbol_basis(field_in, field_out, 3)) > 3


@pytest.mark.parametrize(
    ("group", "field_in", "field_out"), FIELDS + OTHERS, ids=lambda part: getattr(part, "name", "")
)
def test_elements_are_homogeneous_and_orthonormal(group, field_in, field_out):
    for n in range(5 if group.dim == 2 else 4):
        basis = symbol_basis(field_in, field_out, n, exact_order=True)
        if basis:
            assert all(list(element.parts) == [n] for element in basis)
            rows = flat(basis, n)
            np.testing.assert_allclose(rows @ rows.T, np.eye(len(rows)), atol=1e-12)
    first = symbol_basis(field_in, field_out, 1)[0]
    assert first.norm() == pytest.approx(1, abs=1e-12)


SMALL = [
    (O2(), "1", "2"), (SO2(), "1", "1"), (cyclic(3), "1", "1"),
    (cyclic(4), "1", "2"), (dihedral(6), "3", "4"),
    (O3(), "1o", "2e"), (SO3(), "1", "1"), (EVERY[4], "1", "1"),
    (EVERY[5], "2", "3"), (point_group("T"), "2", "2"),
    (point_group("Oh"), "5", "8"), (point_group("I"), "1", "1"),
    (trivial(), "0", "0"), (EVERY[3], "0", "1"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("field_in", "field_out"),
    [(irrep(group, a), irrep(group, b)) for group, a, b in SMALL]
    + [
        (regular(cyclic(4)), regular(cyclic(4))),
        (regular(dihedral(3, angle=0.3)), irrep(dihedral(3, angle=0.3), "2")),
    ],
    ids=lambda part: repr(part)[:20],
)
def test_the_basis_spans_the_null_space(field_in, field_out):
    """The same projector as Hom(Sym^n (x) V_in, V_out), so that all principal angles are 0."""
    for n in range(5 if field_in.group.dim == 2 and field_in.dim < 3 else 3):
        solved = intertwiners(Product(Powers(field_in.group, n), field_in), field_out)
        basis = symbol_basis(field_in, field_out, n, exact_order=True)
        assert len(basis) == len(solved)
        if basis:
            rows = (
                solved.reshape(len(solved), field_out.dim, -1, field_in.dim)
                .transpose(0, 2, 1, 3)
                .reshape(len(solved), -1)
            )
            angles = np.linalg.svd(flat(basis, n) @ rows.T, compute_uv=False)
            np.testing.assert_allclose(angles, 1, atol=1e-10)


@pytest.mark.parametrize("n", range(6))
def test_fischers_decomposition_has_every_monomial(n):
    assert sum(2 * j + 1 for j, _ in harmonic_polynomials(3, n)) == (n + 1) * (n + 2) // 2
    everything = symbol_basis(irreps(trivial())[0], irreps(trivial())[0], n, exact_order=True)
    assert len(everything) == (n + 1) * (n + 2) // 2


@pytest.mark.parametrize(
    ("group", "subgroup"),
    [
        (SO2(), cyclic(5)),
        (O2(), dihedral(4, angle=0.7)),
        (dihedral(4), cyclic(4)),
        (O3(), point_group("D4h")),
        (O3(), SO3()),
    ],
    ids=name,
)
def test_a_subgroup_has_the_operators_of_the_group_and_more(group, subgroup):
    field_in, field_out = some_field(group), some_field(group, 3)
    fewer = [element.restrict(subgroup) for element in symbol_basis(field_in, field_out, 2)]
    more = symbol_basis(fewer[0].field_in, fewer[0].field_out, 2)
    assert len(fewer) < len(more)
    for n in range(3):
        inside = [element for element in fewer if n in element.parts]
        if inside:
            span = flat([element for element in more if n in element.parts], n)
            rows = flat(inside, n)
            np.testing.assert_allclose(rows @ span.T @ span, rows, atol=1e-12)


def test_couplings_are_orthonormal():
    group = point_group("O")
    for a, b in itertools.product(irreps(group), repeat=2):
        tensors = harmonic_couplings(4, a, b)
        gram = np.einsum("pohi,qohi->pq", tensors, tensors)
        np.testing.assert_allclose(gram, np.eye(len(tensors)), atol=1e-12)
        assert tensors.shape[1:] == (b.dim, 9, a.dim)


def test_fields_without_channels_or_operators():
    assert symbol_basis(Field.parse(""), Field.parse("1o"), 2) == []
    assert symbol_basis(Field.parse("0e"), Field.parse("0o"), 4) == []
    assert symbol_basis(Field.parse("2x0e"), Field.parse("0x1o+3x0e"), 0)[0].parts[0].shape == (
        1,
        3,
        2,
    )
    assert len(symbol_basis(Field.parse("2x0e"), Field.parse("3x1o"), 1)) == 6


def test_what_is_asked_wrongly_is_named():
    scalar = Field.parse("0e")
    with pytest.raises(
        FieldMismatchError, match=r"fields of one group; got 1x0e of O\(3\) and 1x0 of SO\(3\)"
    ):
        symbol_basis(scalar, Field.parse("0", SO3()), 1)
    with pytest.raises(ValueError, match="order of an operator is 0 or more; got -1"):
        symbol_basis(scalar, scalar, -1)
    with pytest.raises(ValueError, match=r"finite groups of the plane; got O\(3\). Leave it None"):
        symbol_basis(scalar, scalar, 1, maximum_offset=0)
    with pytest.raises(ValueError, match="maximum_offset is 0 or more, or None"):
        symbol_basis(irrep(cyclic(4), "1"), irrep(cyclic(4), "1"), 1, maximum_offset=-1)
