"""Labels of groups: names where they suffice, and elements where they do not."""

import math

import numpy as np
import pytest

from steerable.groups import (
    O2,
    O3,
    SO2,
    SO3,
    Group,
    HomSpace,
    PermutationGroup,
    SymmetricGroup,
    axial,
    cyclic,
    digest,
    dihedral,
    group_label,
    inversion,
    mirror,
    point_group,
    rotation,
    trivial,
)

X, Y = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)
USUAL = [
    *(O2(), O3(), SO2(), SO3(), trivial(2), trivial(), mirror(), inversion(), axial("Cinfv")),
    *(
        cyclic(4),
        cyclic(4, 3),
        dihedral(3),
        dihedral(3, 3),
        point_group("4/mmm"),
        SymmetricGroup(3),
    ),
]
AXES = [X, Y, (1.0, 1.0, 1.0)]
UNUSUAL = [
    *(mirror(axis) for axis in AXES),
    *(axial(name, axis) for name in ("Cinf", "Cinfv", "Cinfh", "Dinf", "Dinfh") for axis in AXES),
    *(dihedral(3, 2, angle) for angle in (0.3, 0.4)),
    *(cyclic(4, 3).conjugate(rotation(0.3, axis), "C4") for axis in AXES),
    *(PermutationGroup([swap]) for swap in ([1, 0, 2], [0, 2, 1])),
]


@pytest.mark.parametrize("group", USUAL, ids=str)
def test_the_name_is_enough_for_the_usual_groups(group):
    assert group_label(group) == str(group)


def test_groups_of_one_name_are_told_apart():
    labels = {group_label(group) for group in [*USUAL, *UNUSUAL]}
    assert len(labels) == len({str(group) for group in USUAL}) + len(UNUSUAL)


@pytest.mark.parametrize("axis", AXES)
def test_a_label_depends_on_the_elements_alone(axis):
    back = tuple(-x for x in axis)
    assert group_label(mirror(axis)) == group_label(mirror(back))
    assert group_label(axial("Cinfv", axis)) == group_label(axial("Cinfv", back))
    turns = [rotation(2 * math.pi * k / 5, axis) for k in (1, 2)]
    first, second = Group.from_generators([turns[0]]), Group.from_generators([turns[1]])
    assert group_label(first) == group_label(second) != str(first)
    assert group_label(dihedral(4, 2, math.pi / 4)) == "D4"  # which has this mirror


def test_a_digest_does_not_see_rounding():
    numbers = np.random.default_rng(0).normal(size=(5, 3, 3))
    assert digest(numbers) == digest(numbers + 1e-13) != digest(numbers + 1e-3)
    assert digest([0.0]) == digest([-0.0])


def test_a_space_says_which_subgroup_it_has():
    spaces = [HomSpace(SO3(), axial("Cinf", axis), max_degree=1) for axis in AXES]
    assert len({space.label for space in spaces}) == len(AXES)
    assert {str(space) for space in spaces} == {"SO(3) / Cinf, degrees up to 1"}
