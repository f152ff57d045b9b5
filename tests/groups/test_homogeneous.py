"""Homogeneous spaces: multiplicities, cosets and functions of fields, by brute force."""

from itertools import combinations_with_replacement

import numpy as np
import pytest
import torch

from steerable.functions import spherical_harmonics
from steerable.groups import (
    O2,
    O3,
    SO2,
    SO3,
    Group,
    GroupError,
    Induced,
    Restricted,
    axial,
    cyclic,
    dihedral,
    intertwiners,
    irrep,
    irreps,
    point_group,
    rotation,
    trivial,
)
from steerable.groups.cosets import coset_representatives, double_coset_representatives
from steerable.groups.homogeneous import HomSpace, kernel_functions
from steerable.groups.permutations.groups import PermutationGroup
from steerable.groups.permutations.permutations import permutation_matrices
from steerable.groups.permutations.symmetric import SymmetricGroup, YoungSubgroup

POLAR = axial("Cinf", (0, 1, 0))
TILTED = axial("Cinf", (1, 2, 3))
C3 = Group.from_generators([rotation(2 * np.pi / 3, (1, 1, 1))], "C3")
S4 = SymmetricGroup(4)
D2 = point_group("D2")

# How often (4), (3,1), (2,2), (2,1,1), (1^4) occur in the functions on S_4 / H.
SUBGROUPS = {
    "e": ([(0, 1, 2, 3)], (1, 3, 2, 3, 1)),
    "C2": ([(1, 0, 2, 3)], (1, 2, 1, 1, 0)),
    "C2'": ([(1, 0, 3, 2)], (1, 1, 2, 1, 1)),
    "C3": ([(1, 2, 0, 3)], (1, 1, 0, 1, 1)),
    "C4": ([(1, 2, 3, 0)], (1, 0, 1, 1, 0)),
    "V4": ([(1, 0, 3, 2), (2, 3, 0, 1)], (1, 0, 2, 0, 1)),
    "S2xS2": ([(1, 0, 2, 3), (0, 1, 3, 2)], (1, 1, 1, 0, 0)),
    "S3": ([(1, 0, 2, 3), (1, 2, 0, 3)], (1, 1, 0, 0, 0)),
    "D4": ([(1, 2, 3, 0), (2, 1, 0, 3)], (1, 0, 1, 0, 0)),
    "A4": ([(1, 2, 0, 3), (1, 0, 3, 2)], (1, 0, 0, 0, 1)),
    "S4": ([(1, 0, 2, 3), (1, 2, 3, 0)], (1, 0, 0, 0, 0)),
}
DOUBLE_COSETS = {
    ("C2", "C2"): 7, ("C3", "C3"): 4, ("C4", "C4"): 3,
    ("S3", "S3"): 2, ("C3", "C4"): 2, ("S2xS2", "S2xS2"): 3,
    ("e", "C4"): 6,
}  # fmt: skip

SPACES = [
    HomSpace(SO3(), POLAR, max_degree=3),
    HomSpace(SO3(), TILTED, irrep(TILTED, "1"), max_degree=3),
    HomSpace(SO3(), trivial(), max_degree=2),
    HomSpace(SO3(), point_group("T"), max_degree=4),
    HomSpace(SO3(), D2, Restricted(D2, irrep(SO3(), "1")), max_degree=2),
    HomSpace(O3(), axial("Cinfv", (1, -1, 2)), max_degree=3),
    HomSpace(O3(), O3(), irrep(O3(), "1o"), max_degree=2),
    HomSpace(O3(), SO3(), max_degree=2),
    HomSpace(SO2(), trivial(2), max_degree=3),
    HomSpace(SO2(), cyclic(3), irrep(cyclic(3), "1"), max_degree=5),
    HomSpace(O2(), trivial(2), max_degree=3),
    HomSpace(O2(), dihedral(1, angle=0.4), irrep(dihedral(1, angle=0.4), "1"), max_degree=3),
    HomSpace(axial("Dinfh"), axial("Cinf"), max_degree=3),
    HomSpace(axial("Dinfh", (1, 2, 2)), trivial(), max_degree=2),
    HomSpace(point_group("T"), C3, irrep(C3, "1")),
    HomSpace(point_group("Td"), C3),
    HomSpace(point_group("I"), C3, max_degree=3),
    HomSpace(cyclic(8), cyclic(4), irrep(cyclic(4), "1")),
    HomSpace(dihedral(4), trivial(2)),
    HomSpace(S4, PermutationGroup([(1, 2, 3, 0)])),
    HomSpace(S4, YoungSubgroup((3, 1)), Restricted(YoungSubgroup((3, 1)), S4.irrep("(2,1,1)"))),
    HomSpace(YoungSubgroup((3, 2)), PermutationGroup([(1, 2, 0, 4, 3)])),
]


def draw(group, count=4, seed=0):
    """Matrices (count, d, d) of random elements."""
    drawn = group.sample(count, torch.Generator().manual_seed(seed)).numpy()
    return drawn if drawn.ndim == 3 else permutation_matrices(drawn)


def counts(group, subgroup, top):
    """How often every irrep up to `top` occurs in the functions on G / H."""
    found = HomSpace(group, subgroup, max_degree=top).multiplicities
    return [found.get(r.name, 0) for r in group.irreps(top)]


def test_multiplicities_in_the_plane():
    assert (
        counts(SO2(), trivial(2), 4) == [1] * 5
        and HomSpace(SO2(), trivial(2), max_degree=4).size == 9
    )
    assert counts(SO2(), cyclic(3), 7) == [1, 0, 0, 1, 0, 0, 1, 0]
    assert counts(O2(), trivial(2), 3) == [1, 1, 2, 2, 2]
    assert counts(O2(), dihedral(1, angle=0.3), 3) == [1, 0, 1, 1, 1]
    assert counts(O2(), SO2(), 3) == [1, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("subgroup", "wanted"),
    [
        (POLAR, [1] * 8),
        (TILTED, [1] * 8),
        (axial("Dinf", (1, 0, 1)), [1, 0] * 4),
        (trivial(), [2 * l + 1 for l in range(8)]),
        *[(point_group(f"C{n}"), [2 * (l // n) + 1 for l in range(16)]) for n in (2, 3, 5)],
        (point_group("D2"), [1, 0, 2, 1, 3, 2, 4]),
        (point_group("T"), [1, 0, 0, 1, 1, 0, 2, 1, 1, 2, 2, 1, 3, 2, 2, 3]),
        (point_group("O"), [1, 0, 0, 0, 1, 0, 1, 0, 1, 1, 1, 0, 2, 1, 1, 1]),
        (point_group("I"), [1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 1]),
        (SO3(), [1, 0, 0]),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_multiplicities_of_rotations(subgroup, wanted):
    assert counts(SO3(), subgroup, len(wanted) - 1) == wanted


def test_spins_are_truncated_rotations():
    """A tangent field of spin s is 2 copies of every degree from s.

    In O(3) a pseudoscalar is 0o, 1e, 2o, ..
    """
    for s in (1, 2):
        found = HomSpace(SO3(), POLAR, irrep(POLAR, str(s)), max_degree=4).multiplicities
        assert found == {str(l): 2 for l in range(s, 5)}
    mirrors = axial("Cinfv", (0, 1, 0))
    (sign,) = (r for r in irreps(mirrors, 2) if r.dim == 1 and not r.is_trivial)
    assert HomSpace(O3(), mirrors, sign, max_degree=2).multiplicities == {"0o": 1, "1e": 1, "2o": 1}


@pytest.mark.parametrize("name", SUBGROUPS)
def test_multiplicities_of_permutations(name):
    generators, wanted = SUBGROUPS[name]
    subgroup = PermutationGroup(generators)
    assert tuple(counts(S4, subgroup, 24)) == wanted
    assert (
        HomSpace(S4, subgroup).size
        == 24 // subgroup.order
        == len(coset_representatives(S4, subgroup))
    )


def test_every_subgroup_of_four_points():
    """All 30, each made by two elements: Frobenius reciprocity by traces."""
    pairs = combinations_with_replacement(map(tuple, S4.elements.tolist()), 2)
    subgroups = {
        frozenset(map(tuple, (h := PermutationGroup(pair)).elements.tolist())): h for pair in pairs
    }
    assert len(subgroups) == 30
    for subgroup in subgroups.values():
        traces = [
            np.trace(r.matrices(subgroup.elements), axis1=1, axis2=2).mean() for r in S4.irreps()
        ]
        assert counts(S4, subgroup, 24) == [round(trace) for trace in traces]


def test_double_cosets_are_products_of_multiplicities():
    """sum over rho of m_H m_K counts the double cosets, those of brute force."""
    groups = {name: PermutationGroup(generators) for name, (generators, _) in SUBGROUPS.items()}
    for a, b in combinations_with_replacement(SUBGROUPS, 2):
        left, right = groups[a].elements, groups[b].elements
        wanted = {
            frozenset(tuple(h[s[k]].tolist()) for h in left for k in right) for s in S4.elements
        }
        found = double_coset_representatives(S4, groups[a], groups[b]).argmax(1)
        hit = {frozenset(tuple(h[s[k]].tolist()) for h in left for k in right) for s in found}
        count = sum(m * n for m, n in zip(SUBGROUPS[a][1], SUBGROUPS[b][1], strict=True))
        assert hit == wanted and len(found) == count == DOUBLE_COSETS.get((a, b), count)


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_functions_are_fields(space):
    """They obey f(g h) = sigma(h)^-1 f(g) and move as irreps.

    They are orthonormal in the mean over G / H.
    """
    g, h, u = draw(space.group), draw(space.subgroup, seed=1), draw(space.group, seed=2)
    values = space.functions(g)
    assert values.shape == (space.size, 4, space.sigma.dim)
    sigma = space.sigma.matrices(h)
    np.testing.assert_allclose(
        space.functions(g @ h), np.einsum("gji,agj->agi", sigma, values), atol=1e-12
    )
    blocks = [r.matrices(u) for r, m in space.isometries.items() for _ in range(m.shape[1])]
    moved = np.concatenate(
        [np.zeros((0, 4, space.sigma.dim)), space.functions(u.transpose(0, 2, 1) @ g)]
    )
    start = 0
    for block in blocks:  # (u f)(g) = f(u^-1 g) has the coefficients rho(u) F
        part = slice(start, start + block.shape[1])
        np.testing.assert_allclose(
            np.einsum("gba,bgi->agi", block, values[part]), moved[part], atol=1e-12
        )
        start = part.stop
    elements, weights = space.points()
    samples = space.functions(elements)
    gram = np.einsum("api,p,bpi->ab", samples, weights, samples)
    np.testing.assert_allclose(gram, np.eye(space.size), atol=1e-13)
    assert (
        np.isclose(weights.sum(), 1)
        and np.isclose(elements[0] @ elements[0].T, np.eye(space.group.dim)).all()
    )


@pytest.mark.parametrize("space", [s for s in SPACES if s.max_degree is None], ids=repr)
def test_finite_fields_are_induced_representations(space):
    """All functions are there, one block of samples for every coset.

    Traces are those of the induced representation.
    """
    elements, _ = space.points()
    assert (
        space.size
        == len(elements) * space.sigma.dim
        == space.group.order // space.subgroup.order * space.sigma.dim
    )
    assert space.group.index(elements).tolist()[0] == 0
    g = draw(space.group)
    traces = sum(
        m.shape[1] * np.trace(r.matrices(g), axis1=1, axis2=2) for r, m in space.isometries.items()
    )
    if not isinstance(space.group, YoungSubgroup):
        wanted = np.trace(Induced(space.group, space.sigma).matrices(g), axis1=1, axis2=2)
        np.testing.assert_allclose(traces, wanted, atol=1e-12)


def test_the_sphere_has_the_spherical_harmonics():
    """About whatever axis; those of the plane are the circle."""
    x = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x = x / x.norm(dim=1, keepdim=True)
    for subgroup in (POLAR, TILTED):
        space = HomSpace(SO3(), subgroup, max_degree=6)
        g = draw(SO3(), 5)
        wanted = spherical_harmonics(torch.from_numpy(g @ subgroup.axis), 6)
        found = space.functions(g)[:, :, 0].T
        signs = np.concatenate(
            [np.full(2 * l + 1, np.sign((found * wanted.numpy())[0, l * l])) for l in range(7)]
        )
        np.testing.assert_allclose(found * signs, wanted, atol=1e-13)
        if subgroup is POLAR:
            assert (signs == 1).all()


def test_the_rotations_have_wigner_matrices():
    space, g = HomSpace(SO3(), trivial(), max_degree=3), draw(SO3(), 5)
    start = 0
    for l in range(4):
        wanted = np.sqrt(2 * l + 1) * irrep(SO3(), str(l)).matrices(
            g
        )  # row m is the component, column n the copy
        part = space.functions(g)[start : start + (2 * l + 1) ** 2, :, 0].reshape(
            2 * l + 1, 2 * l + 1, 5
        )
        np.testing.assert_allclose(part, wanted.transpose(2, 1, 0), atol=1e-14)
        start += (2 * l + 1) ** 2


def test_stabilisers_leave_few_columns():
    """In Fourier space a function on G / H has m_rho columns.

    A kernel on K \\ G / H has a block m_K x m_H.
    """
    group, H, K = (
        point_group("O"),
        point_group("C4"),
        Group.from_generators([rotation(np.pi, (0, 0, 1))]),
    )
    elements, rng = group.representatives, np.random.default_rng(0)
    inside = [group.index(h.representatives) for h in (K, H)]
    double = np.array(
        [
            group.product_table[group.product_table[inside[0], g]][:, inside[1]].min()
            for g in range(24)
        ]
    )
    kernel = rng.normal(size=24)[double]
    spaces = HomSpace(group, K), HomSpace(group, H)
    for r in group.irreps(24):
        transform = np.einsum("g,gij->ij", kernel, r.matrices(elements)) / 24
        left, right = (
            space.isometries.get(r, np.zeros((r.dim, 0, 1)))[:, :, 0] for space in spaces
        )
        np.testing.assert_allclose(
            left @ left.T @ transform @ right @ right.T, transform, atol=1e-15
        )


def test_kernel_functions_are_orthonormal():
    """Times sqrt(dim rho), in the mean over G."""
    space_in, space_out = (
        HomSpace(point_group("T"), C3, irrep(C3, "1")),
        HomSpace(point_group("T"), D2),
    )
    elements = point_group("T").representatives
    parts = [
        r.dim**0.5 * v.reshape(12, -1, 2)
        for r, v in kernel_functions(space_in, space_out, elements)
    ]
    values = np.concatenate(parts, 1)
    np.testing.assert_allclose(
        np.einsum("gai,gbi->ab", values, values) / 12, np.eye(values.shape[1]), atol=1e-14
    )


def test_kernels_obey_both_stabilisers():
    """B_out^T E rho(k u h) B_in = sigma_out(k) (B_out^T E rho(u) B_in) sigma_in(h)."""
    group = point_group("T")
    space_in = HomSpace(group, C3, irrep(C3, "1"))
    space_out = HomSpace(group, D2, Restricted(D2, irrep(SO3(), "1")))
    u, h, k = draw(group), draw(C3, seed=1), draw(D2, seed=2)
    number = 0
    for (r, values), (_, moved) in zip(
        kernel_functions(space_in, space_out, u),
        kernel_functions(space_in, space_out, k @ u @ h),
        strict=True,
    ):
        wanted = np.einsum(
            "gop,gtnmpi,gij->gtnmoj",
            space_out.sigma.matrices(k),
            values,
            space_in.sigma.matrices(h),
        )
        np.testing.assert_allclose(moved, wanted, atol=1e-13)
        number += r.type * values.shape[2] * values.shape[3]
    assert number == len(
        intertwiners(*(Induced(group, space.sigma) for space in (space_in, space_out)))
    )


def test_spaces_of_many_permutations():
    """The rotations' counterpart, S_8, and functions on points, where n may be large."""
    space = HomSpace(SymmetricGroup(6), YoungSubgroup((1,) * 6))
    assert space.size == 720 and all(m.shape[0] == m.shape[1] for m in space.isometries.values())
    points = HomSpace(SymmetricGroup(20), YoungSubgroup((19, 1)), max_degree=1)
    assert points.multiplicities == {"(20)": 1, "(19,1)": 1}
    pairs = HomSpace(SymmetricGroup(9), YoungSubgroup((7, 1, 1)), max_degree=2)
    assert sum(m**2 for m in pairs.multiplicities.values()) == 7


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (lambda: HomSpace(point_group("C3v"), point_group("C4")), "C4 is no subgroup of C3v"),
        (lambda: HomSpace(SO3(), axial("Cinfv"), max_degree=2), r"Cinfv is no subgroup of SO\(3\)"),
        (lambda: HomSpace(SO2(), trivial(3), max_degree=2), r"trivial is no subgroup of SO\(2\)"),
        (
            lambda: HomSpace(S4, YoungSubgroup((4, 1))),
            r"Sym\(4\)xSym\(1\) is no subgroup of Sym\(4\)",
        ),
        (
            lambda: HomSpace(SO3(), POLAR, irrep(TILTED, "1"), max_degree=2),
            r"has a representation of Cinf as its type; got one of Cinf.*Restrict it first",
        ),
        (
            lambda: HomSpace(SO3(), POLAR, irrep(SO3(), "1"), max_degree=2),
            r"got one of SO\(3\). Restrict it first",
        ),
        (
            lambda: HomSpace(SO3(), POLAR),
            r"SO\(3\) has too many irreps to take all: give max_degree",
        ),
        (lambda: HomSpace(SymmetricGroup(9), YoungSubgroup((8, 1))), "give max_degree"),
        (
            lambda: HomSpace(SO3(), POLAR, irrep(POLAR, "3"), max_degree=2),
            r"No irrep of SO\(3\) up to degree 2 occurs in fields on SO\(3\) / Cinf of this type. "
            r"Raise max_degree",
        ),
        (lambda: SPACES[0].check(np.eye(3)), r"matrices \(element, 3, 3\); got \(3, 3\)"),
        (lambda: SPACES[0].check(-np.eye(3)[None]), r"Not every matrix is an element of SO\(3\)"),
        (lambda: HomSpace(S4, YoungSubgroup((3, 1))).check(-np.eye(4)[None]), "is no permutation"),
    ],
)
def test_errors(wrong, text):
    with pytest.raises(GroupError, match=text):
        wrong()
