"""The groups with a name against scipy's groups and the crystal classes; names that are refused."""

from itertools import combinations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from steerable.groups import (
    O2,
    O3,
    SO2,
    SO3,
    Group,
    GroupError,
    axial,
    cyclic,
    dihedral,
    named_group,
    point_group,
    rotation,
    trivial,
)

# The 32 crystal classes: those with the inversion, those of rotations alone, and the rest.
LAUE = ["-1", "2/m", "mmm", "4/m", "4/mmm", "-3", "-3m", "6/m", "6/mmm", "m-3", "m-3m"]
ROTATIONS = ["1", "2", "222", "4", "422", "3", "32", "6", "622", "23", "432"]
OTHERS = ["m", "mm2", "-4", "4mm", "-42m", "3m", "-6", "6mm", "-6m2", "-43m"]
INVERSION, ACROSS = -np.eye(3), np.diag([1.0, 1, -1])


@pytest.mark.parametrize(
    ("name", "make", "dim", "component", "reflections"),
    [
        ("O(3)", O3, 3, "full", True),
        ("SO(3)", SO3, 3, "full", False),
        ("O(2)", O2, 2, "full", True),
        ("SO(2)", SO2, 2, "full", False),
        ("trivial", trivial, 3, "trivial", False),
    ],
)
def test_classical_names(name, make, dim, component, reflections):
    group = named_group(name)
    assert group is make() and repr(group) == name
    assert (group.dim, group.identity_component, group.has_reflections) == (
        dim,
        component,
        reflections,
    )


def test_the_trivial_group_lives_in_the_plane_too():
    assert (trivial(2).dim, trivial(2).order) == (2, 1)
    assert trivial(2) != trivial(3) and not trivial(2).contains(-np.eye(2))
    assert cyclic(1) == trivial(2) and point_group("C1") == trivial()


@pytest.mark.parametrize("name", ["T", "O", "C2", "C3", "C6", "D2", "D3", "D4", "D6"])
def test_rotation_groups_are_scipys(name):
    expected = Rotation.create_group(name).as_matrix()
    group = point_group(name)
    assert group.order == len(expected) and all(group.contains(g) for g in expected)


@pytest.mark.parametrize(
    ("name", "elements"),
    [
        ("D5", [np.diag([1.0, -1, -1])]),
        ("C5v", [np.diag([1.0, -1, 1])]),
        ("D5h", [np.diag([1.0, -1, -1]), ACROSS]),
        ("S8", [rotation(np.pi / 4, (0, 0, 1)) @ ACROSS]),
        ("D3d", [INVERSION, np.diag([1.0, -1, -1])]),
        ("D2d", [rotation(np.pi / 2, (0, 0, 1)) @ ACROSS]),
        ("I", [np.diag([1.0, -1, -1]), np.diag([-1.0, 1, -1]), rotation(2 * np.pi / 3, (1, 1, 1))]),
        ("Td", [-rotation(np.pi / 2, axis) for axis in np.eye(3)]),
        ("Th", [INVERSION, ACROSS]),
    ],
)
def test_point_groups_lie_as_they_say(name, elements):
    assert all(point_group(name).contains(g) for g in elements)


def test_the_crystal_classes_are_32_different_groups():
    groups = {name: point_group(name) for name in LAUE + ROTATIONS + OTHERS}
    assert len(groups) == 32 and all(a != b for a, b in combinations(groups.values(), 2))
    assert [name for name, group in groups.items() if group.contains(INVERSION)] == LAUE
    assert [name for name, group in groups.items() if not group.has_reflections] == ROTATIONS


@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_cyclic_and_dihedral_groups(n):
    turn = rotation(2 * np.pi / n)
    assert cyclic(n) == Group.from_generators([turn]) and cyclic(n, dim=3) == point_group(f"C{n}")
    assert dihedral(n, dim=3) == point_group(f"D{n}")
    mirror = np.array([[np.cos(0.8), np.sin(0.8)], [np.sin(0.8), -np.cos(0.8)]])
    assert dihedral(n, angle=0.4) == Group.from_generators([turn, mirror])
    about = (np.cos(0.4), np.sin(0.4), 0)
    assert dihedral(n, dim=3, angle=0.4).contains(rotation(np.pi, about))


@pytest.mark.parametrize("axis", [(0, 0, 1), (0, 0, -2), (1, 2, 3)])
def test_axial_groups(groups, axis):
    for name, components in [("Cinf", 1), ("Cinfv", 2), ("Cinfh", 2), ("Dinf", 2), ("Dinfh", 4)]:
        group = axial(name, axis)
        assert (group.identity_component, len(group.representatives), repr(group)) == (
            "axial",
            components,
            name,
        )
        assert np.abs(group.axis @ axis) == pytest.approx(np.linalg.norm(axis), abs=1e-12)
        if axis == (0, 0, 1):
            assert named_group(name) == group
    if axis == (1, 2, 3):
        assert axial("Cinfh", axis) == groups["C_infh"] and axial("Dinfh", axis) == groups["D_infh"]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: named_group("banana"), r"one of O\(3\), SO\(3\), .*got 'banana'"),
        (
            lambda: named_group("Cinfx"),
            "An axial group is one of Cinf, Cinfv, Cinfh, Dinf, Dinfh; got 'Cinfx'",
        ),
        (lambda: point_group("C3d"), "named like C3, .*; got 'C3d'"),
        (lambda: point_group("5"), "got '5'"),
        (lambda: dihedral(-2), "n of at least 1; got -2"),
        (lambda: axial("Cinf", (0, 0, float("nan"))), "three finite numbers"),
        (lambda: axial("Cinf", (0, 1)), "three finite numbers"),
    ],
)
def test_an_unknown_name(make, text):
    with pytest.raises(GroupError, match=text):
        make()


@pytest.mark.parametrize(
    ("name", "order"), [("C480", 480), ("D240", 480), ("D120h", 480), ("Ih", 120)]
)
def test_the_largest_groups(name, order):
    group = named_group(name)
    assert (group.dim, group.order, repr(group)) == (3, order, name)


@pytest.mark.parametrize("typed", ["cinfv", "CINFV", "dinfh", "so(3)", "o3", "oh"])
def test_a_suggested_name_is_a_name(typed):
    with pytest.raises(GroupError) as error:
        named_group(typed)
    _, _, hint = str(error.value).partition("Did you mean '")
    if hint:
        assert named_group(hint.partition("'")[0]).dim == 3


@pytest.mark.parametrize(
    "make",
    [
        lambda n: cyclic(n),
        lambda n: cyclic(n, dim=3),
        lambda n: dihedral(n),
        lambda n: point_group(f"C{n}v"),
    ],
)
@pytest.mark.parametrize("n", [481, 20_000, 10**9])
def test_too_many_rotations_are_refused(make, n):
    """Neither a continuous group nor the trivial one under the name C20000."""
    with pytest.raises(GroupError, match=r"480|at most"):
        make(n)
