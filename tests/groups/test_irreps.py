"""Irreps of every kind of group against their character tables."""

import importlib
import pickle

import numpy as np
import pytest
import torch
from scipy.linalg import block_diag

from steerable.groups import (
    O2,
    O3,
    SO2,
    SO3,
    Group,
    GroupError,
    Harmonic,
    Product,
    decompose,
    intertwiners,
    irrep,
    irreps,
    rotation,
)

GOLDEN = (1 + 5**0.5) / 2
X, Z, DIAGONAL, EDGE = (1, 0, 0), (0, 0, 1), (1, 1, 1), (1, 1, 0)
SWAP = np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, 1]])


def turn(order, axis):
    return rotation(2 * np.pi / order, axis)


def with_inversion(table):
    """The table of a group of rotations times the inversion."""
    elements, rows = table
    rows = np.array(rows)
    return [*elements, *(-g for g in elements)], np.block([[rows, rows], [rows, -rows]])


CUBIC = [np.eye(3), turn(3, DIAGONAL), turn(2, Z)]
TETRAHEDRAL = CUBIC, [[1, 1, 1], [2, -1, 2], [3, 0, -1]]
FIVES = (0, 1, GOLDEN)
TWENTY_FOUR = [
    [1, 1, 1, 1, 1],
    [1, 1, 1, -1, -1],
    [2, -1, 2, 0, 0],
    [3, 0, -1, 1, -1],
    [3, 0, -1, -1, 1],
]
OCTAHEDRAL = [*CUBIC, turn(4, Z), turn(2, EDGE)], TWENTY_FOUR
ICOSAHEDRAL = (
    [np.eye(3), turn(5, FIVES), turn(5 / 2, FIVES), turn(3, DIAGONAL), turn(2, Z)],
    [
        [1, 1, 1, 1, 1],
        [3, GOLDEN, 1 - GOLDEN, 0, -1],
        [3, 1 - GOLDEN, GOLDEN, 0, -1],
        [4, -1, -1, 1, 0],
        [5, 0, 0, -1, 1],
    ],
)
SQUARE = (
    [np.eye(3), turn(4, Z), turn(2, Z), turn(2, X), turn(2, EDGE)],
    [[1, 1, 1, 1, 1], [1, 1, 1, -1, -1], [1, -1, 1, 1, -1], [1, -1, 1, -1, 1], [2, 0, -2, 0, 0]],
)
# One element of every class (complex conjugate classes once) and the real characters there.
TABLES = {
    "T": TETRAHEDRAL,
    "T_d": ([*CUBIC, -turn(4, Z), SWAP], TWENTY_FOUR),
    "T_h": with_inversion(TETRAHEDRAL),
    "O": OCTAHEDRAL,
    "O_h": with_inversion(OCTAHEDRAL),
    "I": ICOSAHEDRAL,
    "I_h": with_inversion(ICOSAHEDRAL),
    "D_4h": with_inversion(SQUARE),
    "C_3v": ([np.eye(3), turn(3, DIAGONAL), SWAP], [[1, 1, 1], [1, 1, -1], [2, -1, 0]]),
    "S_4": (
        [np.eye(3), -turn(4, (1, 2, 3)), turn(2, (1, 2, 3))],
        [[1, 1, 1], [1, -1, 1], [2, 0, -2]],
    ),
}
COMPLEX = {"T": 1, "T_h": 2, "S_4": 1}
CONTINUOUS = ["C_inf", "C_infv", "C_infh", "D_inf", "D_infh", "SO(3)", "O(3)", "SO(2)", "O(2)"]


def characters(parts, elements):
    return np.array(
        [np.trace(part.matrices(np.stack(elements)), axis1=1, axis2=2) for part in parts]
    )


def in_order(rows):
    rows = np.round(np.asarray(rows, dtype=float), 9) + 0.0
    return rows[np.lexsort(rows.T)]


def class_count(elements):
    """The number of conjugacy classes, by brute force."""
    conjugates = np.einsum("aij,bjk,alk->abil", elements, elements, elements)
    distance = np.abs(conjugates[:, :, None] - elements).max(axis=(3, 4))
    return len({frozenset(column) for column in distance.argmin(2).T})


@pytest.mark.parametrize("name", TABLES)
def test_characters_are_those_of_the_table(groups, name):
    elements, rows = TABLES[name]
    found = irreps(groups[name])
    np.testing.assert_allclose(in_order(characters(found, elements)), in_order(rows), atol=1e-8)
    assert sorted(r.type for r in found) == [1] * (len(rows) - COMPLEX.get(name, 0)) + [
        2
    ] * COMPLEX.get(name, 0)
    assert [r.name for r in found] == [str(k) for k in range(len(rows))] and groups[
        name
    ].irreps() == found
    assert [r.is_trivial for r in found] == [True] + [False] * (len(rows) - 1)


@pytest.mark.parametrize("name", [*TABLES, "plane_C_5", "plane_D_6", "trivial"])
def test_characters_are_orthogonal_and_complete(groups, name):
    elements = groups[name].representatives
    found = irreps(groups[name])
    chi = characters(found, elements)
    np.testing.assert_allclose(
        chi @ chi.T / len(elements), np.diag([r.type for r in found]), atol=1e-12
    )
    assert sum(r.dim**2 / r.type for r in found) == pytest.approx(len(elements), abs=1e-12)
    assert sum(2 if r.type == 2 else 1 for r in found) == class_count(elements)
    schur = characters(found, elements @ elements).mean(1)
    np.testing.assert_allclose(schur, [1 if r.type == 1 else 0 for r in found], atol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 12])
def test_the_groups_of_the_plane(n):
    """Of C_n: 1, the sign if n is even, and the turns by k.

    Of D_n: the one-dimensional ones twice.
    """
    turns = [rotation(2 * np.pi * k / n) for k in range(n)]
    mirrors = [g @ np.diag([1.0, -1]) for g in turns]
    steps = np.arange(n)
    ones = [np.ones(n)] + ([(-1.0) ** steps] if n % 2 == 0 else [])
    pairs = [2 * np.cos(2 * np.pi * k * steps / n) for k in range(1, (n + 1) // 2)]
    cyclic = Group.from_generators([rotation(2 * np.pi / n)])
    dihedral = Group.from_generators([rotation(2 * np.pi / n), np.diag([1.0, -1])])
    np.testing.assert_allclose(
        in_order(characters(irreps(cyclic), turns)), in_order(ones + pairs), atol=1e-8
    )
    rows = [np.concatenate([row, s * row]) for row in ones for s in (1, -1)]
    rows += [np.concatenate([row, 0 * row]) for row in pairs]
    np.testing.assert_allclose(
        in_order(characters(irreps(dihedral), turns + mirrors)), in_order(rows), atol=1e-8
    )
    assert [r.type for r in irreps(cyclic)] == [r.dim for r in irreps(cyclic)]
    assert {r.type for r in irreps(dihedral)} == {1}


@pytest.mark.parametrize(
    ("name", "ones", "copies", "kind"),
    [
        ("C_inf", 1, 1, 2),
        ("C_infv", 2, 1, 1),
        ("C_infh", 2, 2, 2),
        ("D_inf", 2, 1, 1),
        ("D_infh", 4, 2, 1),
    ],
)
def test_the_groups_of_an_axis(groups, name, ones, copies, kind):
    """One-dimensional irreps, then one or more for every frequency k.

    Those of k have character 2 cos k t at a turn by t.
    """
    found = irreps(groups[name], max_degree=4)
    angles = np.linspace(0.1, 3, 9)
    chi = characters(found, [rotation(t, (1, 2, 3)) for t in angles])
    expected = [np.ones(9)] * ones + [
        2 * np.cos(k * angles) for k in range(1, 5) for _ in range(copies)
    ]
    np.testing.assert_allclose(in_order(chi), in_order(expected), atol=1e-8)
    assert [r.type for r in found] == [1 if r.dim == 1 else kind for r in found]
    signs = {
        tuple(np.round(row))
        for row in characters(
            found[:1] + [r for r in found if r.dim == 1], groups[name].representatives
        )
    }
    assert len(signs) == ones


@pytest.mark.parametrize(
    ("name", "names", "dims"),
    [
        ("O(3)", "0e 0o 1e 1o 2e 2o", [1, 1, 3, 3, 5, 5]),
        ("SO(3)", "0 1 2", [1, 3, 5]),
        ("O(2)", "0e 0o 1 2", [1, 1, 2, 2]),
        ("SO(2)", "0 1 2", [1, 2, 2]),
    ],
)
def test_the_classical_groups(groups, name, names, dims):
    found = irreps(groups[name], max_degree=2)
    assert " ".join(r.name for r in found) == names and [r.dim for r in found] == dims
    assert [r.type for r in found] == ([1, 2, 2] if name == "SO(2)" else [1] * len(found))
    assert [r.is_trivial for r in found] == [True] + [False] * (len(found) - 1)
    assert repr(found[-1]) == f"{names.split()[-1]} of {name}"


@pytest.mark.parametrize("name", [*TABLES, *CONTINUOUS, "plane_C_5", "plane_D_6"])
def test_irreps_are_orthogonal_representations(groups, draw, name):
    g, h = draw(groups[name], 5), draw(groups[name], 5, seed=1)
    for r in irreps(groups[name], max_degree=4):
        a = r.matrices(g)
        np.testing.assert_allclose(a @ r.matrices(h), r.matrices(g @ h), atol=1e-12)
        np.testing.assert_allclose(
            a @ a.transpose(0, 2, 1), np.broadcast_to(np.eye(r.dim), a.shape), atol=1e-12
        )
        assert r == irrep(groups[name], r.name) and hash(r) == hash(irrep(groups[name], r.name))


@pytest.mark.parametrize(
    ("name", "invariants"),
    [
        ("T", [1, 0, 0, 1, 1, 0, 2, 1, 1, 2, 2, 1, 3, 2, 2, 3]),
        ("O", [1, 0, 0, 0, 1, 0, 1, 0, 1, 1, 1, 0, 2, 1, 1, 1]),
        ("I", [1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 1]),
    ],
)
def test_invariant_harmonics_of_the_polyhedral_groups(groups, name, invariants):
    one = irreps(groups[name])[0]
    assert [len(intertwiners(one, Harmonic(groups[name], l, 1))) for l in range(16)] == invariants


@pytest.mark.parametrize(
    "name", ["C_3v", "S_4", "T_h", "I", "C_inf", "D_infh", "O(3)", "SO(3)", "O(2)", "plane_C_5"]
)
def test_decomposing_block_diagonalises(groups, draw, name):
    group = groups[name]
    elements = draw(group)
    one, two = Harmonic(group, 1, -1), Harmonic(group, 2, 1)
    for rep in (Harmonic(group, 4, -1), Product(one, two), Product(one, one)):
        parts = decompose(rep)
        basis = np.concatenate([isometry for _, isometry in parts], axis=1)
        np.testing.assert_allclose(basis.T @ basis, np.eye(rep.dim), atol=1e-12)
        for g, matrix in zip(elements, rep.matrices(elements), strict=True):
            blocks = block_diag(*[part.matrices(g[None])[0] for part, _ in parts])
            np.testing.assert_allclose(basis.T @ matrix @ basis, blocks, atol=1e-12)


@pytest.mark.parametrize("top", [0, 1])
def test_decomposing_says_how_far_it_looked(groups, top):
    with pytest.raises(
        GroupError,
        match=rf"5 of 5 dimensions hold irreps of O\(3\) beyond degree {top}. Raise max_degree",
    ):
        decompose(Harmonic(groups["O(3)"], 2, 1), max_degree=top)


@pytest.mark.parametrize(
    ("name", "asked", "text"),
    [
        ("O(3)", "x0e", r"O\(3\) has no irrep 'x0e'; its irreps begin 0e, 0o, 1e, 1o"),
        ("O(3)", "1", "has no irrep '1'; its irreps begin 0e, 0o"),
        ("SO(3)", "", "has no irrep ''; its irreps begin 0, 1, 2"),
        ("O(2)", "1e", "its irreps begin 0e, 0o, 1, 2, 3"),
        ("O(2)", "0", "has no irrep '0'"),
        ("C_infv", "1o", "C_infv has no irrep '1o'; its irreps begin 0, 1, 2, 3"),
        ("T", "3", "T has no irrep '3'; its irreps begin 0, 1, 2."),
        ("T", "-1", "T has no irrep '-1'"),
    ],
)
def test_an_unknown_irrep_is_named_without_a_long_search(groups, monkeypatch, name, asked, text):
    module = importlib.import_module("steerable.groups.irreps")
    extend = module._Search.extend

    def bounded(search):
        assert search.degree < 8, "searched on and on for a name that no irrep can have"
        extend(search)

    monkeypatch.setattr(module._Search, "extend", bounded)
    with pytest.raises(GroupError, match=text):
        irrep(groups[name], asked)


@pytest.mark.parametrize("name", ["O(3)", "I_h", "C_infv", "SO(2)"])
def test_matrices_of_tensors(groups, draw, name):
    part = irreps(groups[name], max_degree=2)[-1]
    elements = torch.from_numpy(draw(groups[name]))
    expected = torch.from_numpy(part.matrices(elements.numpy()))
    dim = groups[name].dim
    torch.testing.assert_close(
        part.matrix(elements.view(2, 3, dim, dim)), expected.view(2, 3, part.dim, part.dim)
    )
    torch.testing.assert_close(part.matrix(elements[0]), expected[0])
    single = part.matrix(elements.float())
    assert single.dtype == torch.float32
    torch.testing.assert_close(single, expected.float(), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["O(3)", "T_h", "C_infv"])
def test_irreps_are_pickled(groups, name):
    for part in irreps(groups[name], max_degree=2):
        again = pickle.loads(pickle.dumps(part))
        assert again == part and hash(again) == hash(part)
        np.testing.assert_array_equal(again.isometry, part.isometry)


@pytest.mark.parametrize("name", ["D_4h", "I", "C_infv", "plane_D_6"])
def test_irreps_are_called_after_the_group_that_was_asked(groups, name):
    """Equal groups share one search, whichever of them came first: only the name may differ."""
    again = Group.from_generators(groups[name].generators[::-1], "another name")
    for first, second in zip(irreps(groups[name], 3), irreps(again, 3), strict=True):
        assert first == second and hash(first) == hash(second)
        assert (str(first.group), str(second.group)) == (name, "another name")
        np.testing.assert_array_equal(first.isometry, second.isometry)
    last = irreps(again, 1)[-1]
    assert {str(part.group) for part, _ in decompose(Product(last, last))} == {"another name"}


@pytest.mark.parametrize("name", ["D_4h", "I", "plane_D_6"])
def test_irreps_do_not_depend_on_the_generators(groups, monkeypatch, name, draw):
    """A saved network means the same, whichever of two equal groups was used first in a process."""
    solver, module = (
        importlib.import_module(f"steerable.groups.{part}") for part in ("intertwiners", "irreps")
    )
    monkeypatch.setattr(
        solver, "_solve", solver._solve.__wrapped__
    )  # nor on what was solved before
    group = groups[name]
    renewed = (Group.from_generators(draw(group, 4, seed)) for seed in range(20))
    search = module._Search(next(again for again in renewed if again == group))
    while not search.complete:
        search.extend()
    for first, second in zip(irreps(group, 12), search.irreps, strict=True):
        np.testing.assert_allclose(first.isometry, second.isometry, rtol=0, atol=1e-14)


@pytest.mark.parametrize("group", [O3(), SO3(), O2(), SO2()], ids=str)
def test_closed_forms_of_endomorphisms_equal_the_null_space(group):
    for irrep_ in irreps(group, 3):
        solved = intertwiners(irrep_, irrep_)
        assert irrep_.endomorphisms().shape == solved.shape
        assert np.abs(irrep_.endomorphisms() - solved).max() < 1e-12


@pytest.mark.parametrize(
    ("group", "name"), [(SO3(), "40"), (O3(), "31o"), (O2(), "100"), (SO2(), "100")], ids=str
)
def test_high_degrees_keep_their_digits(group, name):
    irrep_ = irrep(group, name)
    a, b = (group.sample(3, torch.Generator().manual_seed(seed)) for seed in (0, 1))
    assert (irrep_.matrix(a) @ irrep_.matrix(b) - irrep_.matrix(a @ b)).abs().max() < 1e-12
    with pytest.raises(GroupError, match="go up to degree 100; got"):
        irrep(group, "1000o" if name.endswith("o") else "1000")
