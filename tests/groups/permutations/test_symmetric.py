"""Symmetric groups, Young subgroups, Specht and Young modules, and the solver on them."""

import pickle
from itertools import combinations_with_replacement

import numpy as np
import pytest
import torch

from oracles.permutations import class_size
from steerable.field import Field
from steerable.groups import GroupError, Product, Representation, coupling, intertwiners
from steerable.groups.permutations.permutations import compose, permutation_matrices
from steerable.groups.permutations.symmetric import Specht, SymmetricGroup, YoungSubgroup
from steerable.groups.permutations.tableaux import character_table, partitions
from steerable.groups.permutations.young_modules import YoungModule
from steerable.layers import Linear

# The subgroups of S_4 by generators, and how often (4), (3,1), (2,2), (2,1,1), (1^4) have vectors
# that they leave.
SUBGROUPS = {
    "e": ([], (1, 3, 2, 3, 1)),
    "C2": ([(1, 0, 2, 3)], (1, 2, 1, 1, 0)),
    "C3": ([(1, 2, 0, 3)], (1, 1, 0, 1, 1)),
    "C4": ([(1, 2, 3, 0)], (1, 0, 1, 1, 0)),
    "V4": ([(1, 0, 3, 2), (2, 3, 0, 1)], (1, 0, 2, 0, 1)),
    "S3": ([(1, 0, 2, 3), (1, 2, 0, 3)], (1, 1, 0, 0, 0)),
    "S2xS2": ([(1, 0, 2, 3), (0, 1, 3, 2)], (1, 1, 1, 0, 0)),
    "D4": ([(1, 2, 3, 0), (2, 1, 0, 3)], (1, 0, 1, 0, 0)),
}
DOUBLE_COSETS = {
    ("C2", "C2"): 7,
    ("C3", "C3"): 4,
    ("C4", "C4"): 3,
    ("S3", "S3"): 2,
    ("C3", "C4"): 2,
    ("e", "C4"): 6,
}


def closure(generators):
    """All products of permutations of 4 points."""
    found, waiting = set(), [(0, 1, 2, 3)]
    while waiting:
        s = waiting.pop()
        if s not in found:
            found.add(s)
            waiting += [tuple(s[k] for k in t) for t in generators]
    return np.array(sorted(found))


def draw(group, count=5, seed=0):
    return group.sample(count, torch.Generator().manual_seed(seed)).numpy()


@pytest.mark.parametrize("parts", [(1,), (2,), (4,), (3, 2), (2, 2, 1), (1, 1, 1)])
def test_a_group_lists_its_elements(parts):
    group = YoungSubgroup(parts)
    elements, whole = group.elements, SymmetricGroup(sum(parts))
    assert (
        elements.shape == (group.order, group.dim)
        and len(np.unique(elements, axis=0)) == group.order
    )
    np.testing.assert_array_equal(elements[0], np.arange(group.dim))
    np.testing.assert_array_equal(group.index(elements), np.arange(group.order))
    np.testing.assert_array_equal(group.representatives, permutation_matrices(elements))
    kept = [
        s for s in whole.elements if all({*s[b]} == {*range(b.start, b.stop)} for b in group.blocks)
    ]
    np.testing.assert_array_equal(elements, kept)
    found = closure_of(group.generators)
    assert found == {tuple(s) for s in elements.tolist()}
    table = group.product_table
    for a, b in zip(*(draw(group, 8, seed) for seed in (0, 1)), strict=True):
        assert (
            elements[table[group.index(a[None])[0], group.index(b[None])[0]]].tolist()
            == a[b].tolist()
        )


def closure_of(matrices):
    found, waiting = set(), [tuple(range(matrices.shape[1]))]
    while waiting:
        s = waiting.pop()
        if s not in found:
            found.add(s)
            waiting += [tuple(g.argmax(0)[list(s)].tolist()) for g in matrices]
    return found


def test_groups_have_names_products_and_subgroups():
    group, pairs = SymmetricGroup(4), YoungSubgroup((2, 2))
    assert (repr(group), repr(pairs), group.order, pairs.order) == (
        "Sym(4)",
        "Sym(2)xSym(2)",
        24,
        4,
    )
    assert group == SymmetricGroup(4) == pickle.loads(pickle.dumps(group)) and group != pairs
    assert (
        pairs.subgroup_of(group)
        and YoungSubgroup((2, 1, 1)).subgroup_of(pairs)
        and not group.subgroup_of(pairs)
    )
    assert not YoungSubgroup((3, 1)).subgroup_of(pairs) and not pairs.subgroup_of(SymmetricGroup(5))
    s, t = draw(group), draw(group, seed=1)
    np.testing.assert_array_equal(group.product(s, t), compose(s, t))
    np.testing.assert_array_equal(
        group.product(s, group.inverse(permutation_matrices(s))), np.tile(np.arange(4), (5, 1))
    )
    assert SymmetricGroup(50).order > 1e64 and SymmetricGroup(1).irreps()[0].is_trivial
    assert group.has_reflections and not SymmetricGroup(1).has_reflections


def test_samples_are_uniform():
    group = YoungSubgroup((3, 2))
    counts = np.bincount(group.index(draw(group, 6000)), minlength=12)
    assert counts.min() > 420 and counts.max() < 580
    assert draw(group, 0).shape == (0, 5)


@pytest.mark.parametrize(
    "group", [SymmetricGroup(4), YoungSubgroup((3, 2)), YoungSubgroup((2, 2, 1))], ids=repr
)
def test_irreps(group):
    """Orthogonal, homomorphic, irreducible, different, complete; exact traces.

    Found again by name.
    """
    irreps = group.irreps()
    assert irreps[0].is_trivial and not any(irrep.is_trivial for irrep in irreps[1:])
    assert sum(irrep.dim**2 for irrep in irreps) == group.order
    s, t = draw(group), draw(group, seed=1)
    for irrep in irreps:
        assert isinstance(irrep, Representation) and irrep.type == 1
        assert group.irrep(irrep.name) == irrep
        a = irrep.matrices(s)
        np.testing.assert_allclose(
            a @ irrep.matrices(permutation_matrices(t)), irrep.matrices(compose(s, t)), atol=1e-14
        )
        np.testing.assert_allclose(intertwiners(irrep, irrep), irrep.endomorphisms(), atol=1e-12)
        element = torch.from_numpy(permutation_matrices(s)).view(5, 1, group.dim, group.dim)
        assert irrep.matrix(element).shape == (5, 1, irrep.dim, irrep.dim)
        torch.testing.assert_close(
            irrep.character(element), irrep.matrix(element).diagonal(dim1=2, dim2=3).sum(2)
        )
        assert irrep.matrix(element.float()).dtype == torch.float32
    traces = np.array(
        [np.trace(irrep.matrices(group.elements), axis1=1, axis2=2) for irrep in irreps]
    )
    np.testing.assert_allclose(traces @ traces.T / group.order, np.eye(len(irreps)), atol=1e-12)


def test_the_degree_of_an_irrep():
    """(n - k, ...) occurs in tensors of order k and not before."""
    names = [irrep.name for irrep in SymmetricGroup(5).irreps(2)]
    assert names == ["(5)", "(4,1)", "(3,2)", "(3,1,1)"]
    assert [irrep.name for irrep in YoungSubgroup((3, 2)).irreps(1)] == [
        "(3)(2)",
        "(3)(1,1)",
        "(2,1)(2)",
    ]
    assert [irrep.name for irrep in SymmetricGroup(4).irreps(0)] == ["(4)"]


@pytest.mark.parametrize("name", SUBGROUPS)
def test_vectors_that_subgroups_leave(name):
    generators, wanted = SUBGROUPS[name]
    subgroup = closure(generators)
    averages = [irrep.matrices(subgroup).mean(axis=0) for irrep in SymmetricGroup(4).irreps()]
    assert tuple(round(np.trace(average)) for average in averages) == wanted


def test_double_cosets_are_counted_by_irreps():
    whole = SymmetricGroup(4).elements
    for a, b in combinations_with_replacement(SUBGROUPS, 2):
        left, right = closure(SUBGROUPS[a][0]), closure(SUBGROUPS[b][0])
        cosets = {frozenset(tuple(h[s[k]].tolist()) for h in left for k in right) for s in whole}
        count = sum(m * n for m, n in zip(SUBGROUPS[a][1], SUBGROUPS[b][1], strict=True))
        assert len(cosets) == count == DOUBLE_COSETS.get((a, b), count)


def test_products_of_irreps():
    """The Kronecker coefficients of S_4 from characters."""
    group = SymmetricGroup(4)
    table, sizes = character_table(4), np.array([class_size(cycles) for cycles in partitions(4)])
    wanted = np.einsum("ac,bc,oc,c->abo", table, table, table, sizes) // 24
    irreps = group.irreps()
    for (a, b, o), count in np.ndenumerate(wanted):
        assert len(coupling(irreps[a], irreps[b], irreps[o])) == count
    s = draw(group)
    traces = [
        irrep.character(torch.from_numpy(permutation_matrices(s)))
        for irrep in (irreps[1], irreps[3])
    ]
    product = np.trace(Product(irreps[1], irreps[3]).matrices(s), axis1=1, axis2=2)
    np.testing.assert_allclose(product, traces[0] * traces[1], atol=1e-14)


def test_fields_of_permutations():
    """Fields and linear layers take these irreps as those of any other group."""
    group = SymmetricGroup(4)
    field = Field(group, tuple((2, irrep) for irrep in group.irreps()))
    assert str(field) == "2x(4)+2x(3,1)+2x(2,2)+2x(2,1,1)+2x(1,1,1,1)"
    layer, x = Linear(field, field).double(), torch.randn(3, field.dim, dtype=torch.float64)
    with torch.no_grad():
        layer.bias += 1
    (s,) = draw(group, 1)
    blocks = [
        torch.from_numpy(irrep.matrices(s[None])[0]) for irrep in group.irreps() for _ in range(2)
    ]
    moves = torch.block_diag(*blocks)
    torch.testing.assert_close(layer(x @ moves.T), layer(x) @ moves.T, atol=1e-12, rtol=0)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (lambda: SymmetricGroup(0), r"\(0,\) is no partition"),
        (lambda: YoungSubgroup((1, 2)), r"\(1, 2\) is no partition"),
        (lambda: YoungModule((2, 3)), r"\(2, 3\) is no partition"),
        (
            lambda: SymmetricGroup(9).elements,
            r"Sym\(9\) has 362880 elements; at most 8! = 40320 are listed",
        ),
        (
            lambda: SymmetricGroup(8).product_table,
            r"has 40320\^2 entries; tables are made up to order 5040",
        ),
        (
            lambda: YoungSubgroup((2, 1)).index([[2, 1, 0]]),
            r"Not every permutation is an element of Sym\(2\)xSym\(1\)",
        ),
        (
            lambda: YoungSubgroup((2, 1)).irreps()[0].matrices([[2, 1, 0]]),
            "Not every permutation is an element",
        ),
        (
            lambda: SymmetricGroup(4).irrep("(3,2)"),
            r"no irrep '\(3,2\)'; its irreps are partitions, beginning \(4\), \(3,1\)",
        ),
        (lambda: SymmetricGroup(4).irrep("3,1"), r"no irrep '3,1'"),
        (lambda: YoungSubgroup((2, 2)).irrep("(2)"), r"no irrep '\(2\)'"),
        (lambda: SymmetricGroup(4).irrep("(3,1)x"), r"no irrep '\(3,1\)x'"),
        (
            lambda: Specht(SymmetricGroup(4), ((3, 2),)),
            r"\(3, 2\) is a partition of 5; a partition of 4 is wanted",
        ),
        (lambda: Specht(YoungSubgroup((2, 2)), ((2,),)), r"one partition for each of \(2, 2\)"),
        (
            lambda: intertwiners(YoungModule((3,)), YoungModule((4,))),
            "representations of one group",
        ),
    ],
)
def test_errors(wrong, text):
    with pytest.raises(GroupError, match=text):
        wrong()
