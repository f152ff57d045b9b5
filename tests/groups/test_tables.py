"""Dimensions that mathematics gives.

Operators of every order, invariants of polyhedra, double cosets.
"""

import numpy as np
import pytest

from steerable.groups import (
    O2,
    O3,
    SO2,
    SO3,
    Group,
    Harmonic,
    Product,
    cyclic,
    dihedral,
    intertwiners,
    irrep,
    point_group,
    quotient,
    regular,
    rotation,
    trivial,
)

# Number of equivariant differential operators of homogeneous order 0, 1, 2, 3, 4 from one irrep to
# another.
OPERATORS = {
    SO2(): {
        "0>0": (1, 0, 1, 0, 1), "0>1 1>0": (0, 2, 0, 2, 0),
        "0>2 2>0": (0, 0, 2, 0, 2), "0>3 3>0": (0, 0, 0, 2, 0),
        "1>1": (2, 0, 4, 0, 4), "1>2 2>1": (0, 2, 0, 4, 0),
        "2>2": (2, 0, 2, 0, 4), "1>3": (0, 0, 2, 0, 4),
        "3>3": (2, 0, 2, 0, 2),
    },
    O2(): {
        "0e>0e 0o>0o": (1, 0, 1, 0, 1), "0e>0o 0o>0e": (0, 0, 0, 0, 0),
        "0e>1 0o>1 1>0e 1>0o": (0, 1, 0, 1, 0),
        "0e>2 0o>2 2>0e 2>0o": (0, 0, 1, 0, 1), "1>1": (1, 0, 2, 0, 2), "1>2 2>1": (0, 1, 0, 2, 0),
        "2>2": (1, 0, 1, 0, 2), "0e>3": (0, 0, 0, 1, 0), "1>3": (0, 0, 1, 0, 2),
    },
    cyclic(4): {
        "0>0 2>2": (1, 0, 1, 0, 3), "0>2 2>0": (0, 0, 2, 0, 2), "0>1 1>0 1>2 2>1": (0, 2, 0, 4, 0),
        "1>1": (2, 0, 6, 0, 10), "0>regular": (1, 2, 3, 4, 5),
        "regular>regular": (4, 8, 12, 16, 20),
    },
    SO3(): {
        "0>0": (1, 0, 1, 0, 1), "0>1 1>0": (0, 1, 0, 1, 0),
        "0>2 2>0": (0, 0, 1, 0, 1), "0>3": (0, 0, 0, 1, 0),
        "1>1": (1, 1, 2, 1, 2), "1>2 2>1": (0, 1, 1, 2, 1),
        "2>2": (1, 1, 2, 2, 3), "1>3": (0, 0, 1, 1, 2),
    },
    O3(): {
        "0e>0e": (1, 0, 1, 0, 1), "0e>0o 0e>1e 0e>2o 1o>0o": (0, 0, 0, 0, 0),
        "0e>1o 1o>0e 1o>1e": (0, 1, 0, 1, 0),
        "0e>2e 2e>0e 1o>2o": (0, 0, 1, 0, 1), "0e>3o": (0, 0, 0, 1, 0), "1o>1o": (1, 0, 2, 0, 2),
        "1o>2e 2e>1o 2e>2o": (0, 1, 0, 2, 0), "2e>2e": (1, 0, 2, 0, 3), "1o>3o": (0, 0, 1, 0, 2),
    },
}  # fmt: skip


def operators(group, rep_in, rep_out, order):
    """dim Hom(Sym^n (x) in, out).

    The symmetric power holds the harmonics of degrees n, n - 2, ...
    """
    degrees = range(order % 2, order + 1, 2)
    harmonics = [Harmonic(group, k, (-1) ** k if group.dim == 3 else 1) for k in degrees]
    return sum(len(intertwiners(Product(harmonic, rep_in), rep_out)) for harmonic in harmonics)


@pytest.mark.parametrize("group", OPERATORS, ids=str)
def test_dimensions_of_steerable_operators(group):
    for pairs, expected in OPERATORS[group].items():
        for pair in pairs.split():
            reps = [
                regular(group) if name == "regular" else irrep(group, name)
                for name in pair.split(">")
            ]
            highest = 3 if "3" in pair else 5  # the larger solves add nothing
            assert (
                tuple(operators(group, *reps, n) for n in range(highest)) == expected[:highest]
            ), pair


def test_operators_of_the_dihedral_group():
    group = dihedral(4)
    one, two = ([r for r in group.irreps() if r.dim == dim] for dim in (1, 2))
    same = [operators(group, one[0], one[0], n) for n in range(5)]
    assert same == [1, 0, 1, 0, 2]
    between = sorted(
        tuple(operators(group, one[0], other, n) for n in range(5)) for other in one[1:]
    )
    assert between == [(0, 0, 0, 0, 1), (0, 0, 1, 0, 1), (0, 0, 1, 0, 1)]
    assert [operators(group, one[0], two[0], n) for n in range(5)] == [0, 1, 0, 2, 0]
    assert [operators(group, two[0], two[0], n) for n in range(5)] == [1, 0, 3, 0, 5]
    assert [operators(group, regular(group), regular(group), n) for n in range(3)] == [8, 16, 24]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("C3", [2 * (l // 3) + 1 for l in range(7)]),
        ("D2", [1, 0, 2, 1, 3, 2, 4]),
        ("T", [1, 0, 0, 1, 1, 0, 2, 1, 1, 2, 2, 1, 3, 2, 2, 3]),
        ("O", [1, 0, 0, 0, 1, 0, 1, 0, 1, 1, 1, 0, 2, 1, 1, 1]),
        ("I", [1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 1]),
    ],
)
def test_invariants_of_rotation_groups(name, expected):
    group = point_group(name)
    trivial_irrep = group.irreps(0)[0]
    found = [
        len(intertwiners(Harmonic(group, l, (-1) ** l), trivial_irrep))
        for l in range(len(expected))
    ]
    assert found == expected


HALF_TURN, CROSS = rotation(np.pi, [1, 1, 0]), rotation(np.pi, [1, -1, 0])
QUARTER, THIRD = rotation(np.pi / 2, [0, 0, 1]), rotation(2 * np.pi / 3, [1, 1, 1])
# Subgroups of the octahedral group, which permutes the four diagonals of the cube as S_4 does.
SUBGROUPS = {
    "e": trivial(),
    "C2": Group.from_generators([HALF_TURN]),
    "C3": Group.from_generators([THIRD]),
    "C4": Group.from_generators([QUARTER]),
    "V4": point_group("D2"),
    "S3": Group.from_generators([THIRD, CROSS]),
    "S2xS2": Group.from_generators([HALF_TURN, CROSS]),
    "D4": Group.from_generators([QUARTER, HALF_TURN]),
}
FIXED = {  # dimensions of the fixed vectors in (4), (3,1), (2,2), (2,1,1), (1^4)
    "e": (1, 3, 2, 3, 1), "C2": (1, 2, 1, 1, 0), "C3": (1, 1, 0, 1, 1), "C4": (1, 0, 1, 1, 0),
    "V4": (1, 0, 2, 0, 1), "S3": (1, 1, 0, 0, 0), "S2xS2": (1, 1, 1, 0, 0), "D4": (1, 0, 1, 0, 0),
}  # fmt: skip
DOUBLE_COSETS = {
    ("C2", "C2"): 7, ("C3", "C3"): 4, ("C4", "C4"): 3,
    ("S3", "S3"): 2, ("C4", "C3"): 2, ("S2xS2", "S2xS2"): 3,
    ("e", "C4"): 6,
}  # fmt: skip


@pytest.mark.parametrize("name", SUBGROUPS)
def test_fixed_vectors_in_the_irreps_of_s4(name):
    group = point_group("O")
    swap = HALF_TURN[None]  # a transposition: character 1, 1, 0, -1, -1
    known = {(r.dim, round(float(np.trace(r.matrices(swap)[0])))): r for r in group.irreps()}
    by_partition = [known[key] for key in ((1, 1), (3, 1), (2, 0), (3, -1), (1, -1))]
    functions = quotient(group, SUBGROUPS[name])
    assert tuple(len(intertwiners(functions, r)) for r in by_partition) == FIXED[name]


@pytest.mark.parametrize(("left", "right"), DOUBLE_COSETS)
def test_double_cosets_of_s4(left, right):
    group = point_group("O")
    maps = intertwiners(quotient(group, SUBGROUPS[left]), quotient(group, SUBGROUPS[right]))
    assert len(maps) == DOUBLE_COSETS[left, right]
