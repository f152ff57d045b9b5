"""Groups that matrices generate: recognised, or refused."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from steerable.groups import GOLDEN_ANGLE, O2, O3, SO2, SO3, Group, GroupError, rotation

X, Y, Z, DIAGONAL = (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)


COMPONENTS = {"C_inf": 1, "C_infv": 2, "C_infh": 2, "D_inf": 2, "D_infh": 4}


def mirror(normal):
    n = np.array(normal) / np.linalg.norm(normal)
    return np.eye(len(n)) - 2 * np.outer(n, n)


@pytest.mark.parametrize("name", COMPONENTS)
def test_groups_of_an_axis_are_recognised(groups, name):
    group = groups[name]
    assert (group.identity_component, group.order) == ("axial", None)
    assert len(group.representatives) == COMPONENTS[name]
    assert abs(group.axis @ np.array([1, 2, 3]) / 14**0.5) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    ("generators", "same", "components"),
    [
        ([rotation(1.0, (1, 2, 3)), rotation(1.0, (0, 1, -4))], SO3, 1),
        ([rotation(2 * np.pi / 3, Z), rotation(2 * np.pi / 3, X)], SO3, 1),
        ([rotation(GOLDEN_ANGLE, Z), mirror((0, 1, 1))], O3, 2),
        ([mirror((np.cos(t), np.sin(t), 0.3 * t)) for t in (0, 1, 2.5)], O3, 2),
        ([rotation(1.0)], SO2, 1),
        ([mirror((1, 0)), mirror((np.cos(1), np.sin(1)))], O2, 2),
    ],
)
def test_all_rotations_are_recognised(generators, same, components):
    group = Group.from_generators(generators)
    assert (group.identity_component, len(group.representatives)) == ("full", components)
    assert group == same() and hash(group) == hash(same())


def test_half_turns_about_two_axes_make_a_group_of_their_normal():
    group = Group.from_generators([rotation(np.pi, X), rotation(np.pi, (np.cos(1), np.sin(1), 0))])
    assert (group.identity_component, len(group.representatives)) == ("axial", 2)
    np.testing.assert_allclose(np.abs(group.axis), [0, 0, 1], atol=1e-12)


@pytest.mark.parametrize(
    ("matrices", "text"),
    [
        ([2 * np.eye(3)], "must be orthogonal matrices; number 0"),
        ([np.eye(3), np.ones((3, 3))], "number 1 is .* g\\^T g differs from the identity by up to"),
        ([np.full((3, 3), np.nan)], "orthogonal"),
        ([np.full((2, 2), np.inf)], "orthogonal"),
        ([np.zeros((3, 2))], r"d = 2 or 3; got \(1, 3, 2\)"),
        (np.eye(3), r"got \(3, 3\)"),
        ([np.eye(4)], r"d = 2 or 3; got \(1, 4, 4\)"),
        ([np.eye(1)], "d = 2 or 3"),
        ([], "Use `trivial"),
        ([np.eye(2), np.eye(3)], r"shape \(generator, d, d\)"),
        ("O(3)", r"shape \(generator, d, d\); got 'O\(3\)'"),
        (3, "got 3"),
        ([rotation(2 * np.pi / 1000, Z)], "finite order 1000; finite groups may have 480 elements"),
        ([rotation(2 * np.pi / 1000)], "golden angle"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value encountered in matmul:RuntimeWarning")
def test_what_is_no_group_is_refused(matrices, text):
    with pytest.raises(GroupError, match=text):
        Group.from_generators(matrices)


@pytest.mark.parametrize(
    ("generators", "name"),
    [
        ([rotation(2 * np.pi / 1000, Z)], "C_1000"),
        ([rotation(2 * np.pi / 300, Z), mirror((1, 0, 0))], None),
        ([rotation(2 * np.pi / 200, Z), mirror((1, 0, 0)), mirror((0, 0, 1))], None),
        ([mirror((1, 0)), mirror((np.cos(np.pi / 500), np.sin(np.pi / 500)))], None),
        (
            [rotation(np.pi, X), rotation(np.pi, (np.cos(np.pi / 500), np.sin(np.pi / 500), 0))],
            None,
        ),
    ],
)
def test_a_finite_group_that_is_too_large_is_never_taken_for_a_continuous_one(generators, name):
    with pytest.raises(GroupError, match="480"):
        Group.from_generators(generators, name)


@pytest.mark.parametrize(
    "rounded",
    [rotation(2 * np.pi / 5).round(digits) for digits in (8, 9, 12)]
    + [rotation(round(2 * np.pi / 5, digits)) for digits in (7, 9, 12)],
)
def test_a_rounded_rotation_is_never_taken_for_a_continuous_one(rounded):
    """Five turns by 72 degrees written with 8 digits.

    The group of order 5, or an error, but not SO(2).
    """
    try:
        order = Group.from_generators([rounded]).order
    except GroupError:
        order = 5
    assert order == 5


@pytest.mark.parametrize("axis", [X, Y, Z, (1, 2, -3)])
def test_rotations_are_scipys(axis):
    unit = np.array(axis) / np.linalg.norm(axis)
    for angle in (0.0, 1e-9, 0.7, np.pi, -2.0, 9.0):
        np.testing.assert_allclose(
            rotation(angle, axis), Rotation.from_rotvec(angle * unit).as_matrix(), atol=1e-14
        )
        np.testing.assert_allclose(rotation(angle), rotation(angle, Z)[:2, :2], atol=1e-15)
