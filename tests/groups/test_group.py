"""Groups from generators.

What they hold, when they are equal, how they are drawn from, what is refused.
"""

import copy
import pickle
from itertools import pairwise

import numpy as np
import pytest
import torch

from steerable.groups import GOLDEN_ANGLE, O2, O3, Group, GroupError, rotation

X, Y, Z, DIAGONAL = (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)
ORDERS = {
    "T": 12,
    "T_d": 24,
    "T_h": 24,
    "O": 24,
    "O_h": 48,
    "I": 60,
    "I_h": 120,
    "D_4h": 16,
    "C_3v": 6,
    "S_4": 4,
}
COMPONENTS = {"C_inf": 1, "C_infv": 2, "C_infh": 2, "D_inf": 2, "D_infh": 4}
CHIRAL = {"T", "O", "I", "C_inf", "D_inf", "SO(3)", "SO(2)", "plane_C_5", "trivial"}
EVERY = [
    *ORDERS,
    *COMPONENTS,
    "SO(3)",
    "O(3)",
    "SO(2)",
    "O(2)",
    "plane_C_5",
    "plane_D_6",
    "trivial",
]


def mirror(normal):
    n = np.array(normal) / np.linalg.norm(normal)
    return np.eye(len(n)) - 2 * np.outer(n, n)


def closure(generators):
    """All products of matrices of a finite group, as tuples of rounded entries."""
    found = {}
    waiting = [np.eye(len(generators[0]))]
    while waiting:
        g = waiting.pop()
        key = tuple(np.round(g, 5).ravel() + 0.0)
        if key not in found:
            found[key] = g
            waiting += [h @ g for h in generators]
    return set(found)


def keys(matrices):
    return {tuple(np.round(g, 5).ravel() + 0.0) for g in matrices}


@pytest.mark.parametrize("name", ORDERS)
def test_finite_groups_hold_all_products(groups, name):
    group = groups[name]
    assert (group.dim, group.order, group.identity_component, group.axis) == (
        3,
        ORDERS[name],
        "trivial",
        None,
    )
    assert keys(group.representatives) == closure(group.generators)
    np.testing.assert_array_equal(group.representatives[0], np.eye(3))


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 12])
def test_the_cyclic_and_dihedral_groups_of_the_plane(n):
    turn = rotation(2 * np.pi / n)
    cyclic, dihedral = Group.from_generators([turn]), Group.from_generators([turn, mirror((1, 3))])
    assert (cyclic.dim, cyclic.order, cyclic.has_reflections) == (2, n, False)
    assert (dihedral.dim, dihedral.order, dihedral.has_reflections) == (2, 2 * n, True)
    assert cyclic.subgroup_of(dihedral) and not dihedral.subgroup_of(cyclic)


@pytest.mark.parametrize("name", EVERY)
def test_reflections_are_seen(groups, name):
    assert groups[name].has_reflections == (name not in CHIRAL)


@pytest.mark.parametrize(
    ("name", "generators"),
    [
        (
            "O",
            [rotation(np.pi / 2, X), rotation(-np.pi / 2, Y), rotation(2 * np.pi / 3, (1, -1, 1))],
        ),
        ("T_d", [-rotation(np.pi / 2, Z), mirror((0, 1, 1))]),
        ("C_3v", [mirror((1, -1, 0)), mirror((0, 1, -1))]),
        ("D_4h", [mirror((1, 0, 0)), mirror((1, 1, 0)), mirror((0, 0, 1))]),
        ("C_inf", [rotation(1.0, (-1, -2, -3)), rotation(np.sqrt(2), (1, 2, 3))]),
        ("D_infh", [rotation(1.0, (1, 2, 3)), mirror((1, 2, 3)), mirror((3, 0, -1))]),
        (
            "plane_D_6",
            [mirror((1, 2)), rotation(np.pi / 6) @ mirror((1, 2)) @ rotation(-np.pi / 6)],
        ),
    ],
)
def test_equality_and_hash_do_not_depend_on_the_generators(groups, name, generators):
    again = Group.from_generators(generators, "another name")
    assert again == groups[name] and hash(again) == hash(groups[name])
    assert {groups[name]: "found"}[again] == "found"


def test_unequal_groups(groups):
    tilt = rotation(0.1, X)
    turned = Group.from_generators([tilt @ g @ tilt.T for g in groups["O"].generators])
    plane, space = Group.from_generators([np.eye(2)]), Group.from_generators([np.eye(3)])
    for one, other in [
        ("O", "T_d"),
        ("T_d", "T_h"),
        ("C_infv", "C_infh"),
        ("SO(3)", "O(3)"),
        ("I", "SO(3)"),
    ]:
        assert groups[one] != groups[other]
    assert turned != groups["O"] and turned.order == 24
    assert Group.from_generators([rotation(GOLDEN_ANGLE, Z)]) != groups["C_inf"]
    assert plane != space and space == groups["trivial"] and space != "trivial"


@pytest.mark.parametrize(
    "chain",
    [
        "trivial T O O_h O(3)",
        "T T_h O_h",
        "C_3v T_d O_h",
        "T I I_h O(3)",
        "O SO(3) O(3)",
        "S_4 O(3)",
        "C_inf C_infv D_infh O(3)",
        "C_inf C_infh D_infh",
        "C_inf D_inf SO(3)",
        "plane_C_5 SO(2) O(2)",
    ],
)
def test_subgroups(groups, chain):
    names = chain.split()
    for small, large in pairwise(names):
        assert groups[small].subgroup_of(groups[large]) and groups[small].subgroup_of(groups[small])
        assert not groups[large].subgroup_of(groups[small])


@pytest.mark.parametrize(
    "pair",
    [
        "T_d O",
        "O I",
        "S_4 SO(3)",
        "C_3v C_infv",
        "C_inf O_h",
        "SO(2) SO(3)",
        "SO(3) SO(2)",
        "O_h SO(3)",
    ],
)
def test_groups_that_are_no_subgroups(groups, pair):
    small, large = pair.split()
    assert not groups[small].subgroup_of(groups[large])


def test_contains(groups):
    octahedral, about_axis = groups["O"], groups["D_inf"]
    assert octahedral.contains(torch.tensor(rotation(np.pi / 2, Y), dtype=torch.float32))
    assert octahedral.contains(rotation(np.pi / 2 + 1e-8, Y)) and not octahedral.contains(
        rotation(np.pi / 2 + 1e-3, Y)
    )
    assert octahedral.contains(rotation(np.pi / 2 + 1e-3, Y), tolerance=1e-2)
    assert about_axis.contains(rotation(0.1234, (1, 2, 3))) and about_axis.contains(
        rotation(np.pi, (2, -1, 0))
    )
    for alien in (
        rotation(0.1234, Z),
        mirror((1, 2, 3)),
        2 * np.eye(3),
        np.eye(2),
        np.full((3, 3), np.nan),
        np.eye(4),
    ):
        assert not about_axis.contains(alien)
    assert groups["O(3)"].contains(mirror((1, 2, 3))) and not groups["SO(3)"].contains(
        mirror((1, 2, 3))
    )


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(
    "renew", [copy.copy, copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g))]
)
def test_copies_are_equal(groups, name, renew):
    again = renew(groups[name])
    assert again == groups[name] and hash(again) == hash(groups[name])
    assert repr(again) == repr(groups[name]) == groups[name].name


@pytest.mark.parametrize(
    ("generators", "text"),
    [
        ([rotation(np.pi / 2, Z)], "group of order 4 in O(3)"),
        ([rotation(1.0, Z)], "infinite group in O(3)"),
        ([mirror((1, 0))], "group of order 2 in O(2)"),
    ],
)
def test_a_group_without_a_name_describes_itself(generators, text):
    assert repr(Group.from_generators(generators)) == text


@pytest.mark.parametrize("name", EVERY)
def test_drawn_elements_belong_to_the_group(groups, name, draw):
    group = groups[name]
    drawn = draw(group, 40)
    assert drawn.shape == (40, group.dim, group.dim) and drawn.dtype == np.float64
    np.testing.assert_allclose(
        drawn @ drawn.transpose(0, 2, 1), np.eye(group.dim)[None].repeat(40, 0), atol=1e-13
    )
    assert all(group.contains(g, 1e-12) for g in drawn)
    assert all(group.contains(g @ h, 1e-12) for g, h in zip(drawn[:20], drawn[20:], strict=True))
    np.testing.assert_array_equal(drawn, draw(group, 40))
    assert name == "trivial" or not np.array_equal(drawn, draw(group, 40, seed=1))
    if group.has_reflections:
        assert {-1, 1} == set(np.linalg.det(drawn).round())
    assert group.sample(0).shape == (0, group.dim, group.dim)


def test_every_element_of_a_finite_group_is_drawn_about_equally(groups, draw):
    count = 24 * 400
    _, times = np.unique(draw(groups["O"], count).round(5) + 0.0, axis=0, return_counts=True)
    assert len(times) == 24 and np.abs(times - 400).max() < 5 * 20


@pytest.mark.parametrize("name", ["SO(3)", "O(3)"])
def test_rotations_are_drawn_from_the_haar_measure(groups, draw, name):
    """The characters of degrees 1 and 2 are orthonormal.

    Every entry has the second moment 1/3.
    """
    drawn = draw(groups[name], 20_000)
    trace = np.trace(drawn, axis1=1, axis2=2) * np.linalg.det(drawn)
    degree_two = trace**2 - trace - 1
    for value, expected in [
        (trace, 0),
        (trace**2, 1),
        (degree_two, 0),
        (degree_two**2, 1),
        (trace * degree_two, 0),
    ]:
        assert value.mean() == pytest.approx(expected, abs=0.06)
    np.testing.assert_allclose((drawn**2).mean(0), np.full((3, 3), 1 / 3), atol=0.02)
    expected_sign = 0 if name == "O(3)" else 1
    assert np.linalg.det(drawn).mean() == pytest.approx(expected_sign, abs=0.05)


@pytest.mark.parametrize("name", ["SO(2)", "O(2)", "C_inf", "D_infh"])
def test_angles_are_drawn_evenly(groups, draw, name):
    group = groups[name]
    drawn = draw(group, 4000)
    if group.dim == 3:
        u = np.cross((1, 2, 3), (3, 0, -1)) / 140**0.5
        v = np.array([3, 0, -1]) / 10**0.5
        x, y = drawn @ u @ u, drawn @ u @ v
    else:
        x, y = drawn[:, 0, 0], drawn[:, 1, 0]
    for frequency in (1, 2, 3):
        assert abs(((x + 1j * y) ** frequency).mean()) < 0.07


@pytest.mark.parametrize("name", ["O", "C_3v", "C_infv", "SO(3)", "plane_D_6"])
def test_conjugate_groups(groups, draw, name):
    group = groups[name]
    turn = draw(O3() if group.dim == 3 else O2(), 1)[0]
    again = group.conjugate(turn)
    assert (
        all(again.contains(turn @ g @ turn.T) for g in draw(group)) and again.order == group.order
    )
    assert again.conjugate(turn.T) == group and (again == group) == (name == "SO(3)")
    assert repr(again) == f"{name} turned" and repr(group.conjugate(turn, "N")) == "N"
    with pytest.raises(GroupError, match="orthogonal"):
        group.conjugate(2 * turn)


@pytest.mark.parametrize("name", ["T", "C_3v", "S_4", "plane_D_6", "trivial"])
def test_elements_are_indexed_and_multiplied(groups, name):
    group = groups[name]
    elements, table = group.representatives, group.product_table
    np.testing.assert_array_equal(group.index(elements[::-1]), np.arange(group.order)[::-1])
    assert group.index(elements[:0]).shape == (0,)
    for a, row in enumerate(table):
        np.testing.assert_allclose(elements[row], elements[a] @ elements, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("T", [1, 3, 4, 4]),
        ("O", [1, 3, 6, 6, 8]),
        ("T_d", [1, 3, 6, 6, 8]),
        ("I", [1, 12, 12, 15, 20]),
        ("D_4h", [1, 1, 1, 1, 2, 2, 2, 2, 2, 2]),
        ("C_3v", [1, 2, 3]),
        ("S_4", [1, 1, 1, 1]),
        ("plane_D_6", [1, 1, 2, 2, 3, 3]),
        ("trivial", [1]),
    ],
)
def test_conjugacy_classes(groups, name, sizes):
    group = groups[name]
    classes = group.classes()
    assert sorted(map(len, classes)) == sizes and classes[0].tolist() == [0]
    assert sorted(np.concatenate(classes)) == list(range(group.order))
    for members in classes:
        shape = [(np.trace(g), np.linalg.det(g)) for g in group.representatives[members]]
        np.testing.assert_allclose(shape, shape[:1] * len(shape), atol=1e-10)


def test_what_only_finite_groups_have(groups):
    for ask in (
        lambda g: g.index(np.eye(3)[None]),
        lambda g: g.product_table,
        lambda g: g.classes(),
    ):
        with pytest.raises(
            GroupError, match="C_inf has infinitely many elements .* take a finite subgroup"
        ):
            ask(groups["C_inf"])
    with pytest.raises(GroupError, match="Not every matrix is an element of O"):
        groups["O"].index(np.stack([np.eye(3), -np.eye(3)]))


def test_the_constructor_checks_its_matrices_too():
    with pytest.raises(GroupError, match="orthogonal matrices"):
        Group("shear", np.array([[[1.0, 1.0], [0.0, 1.0]]]))
    with pytest.raises(GroupError, match="real generators"):
        Group.from_generators([1j * np.eye(3)])
    learned = torch.eye(3, dtype=torch.float64, requires_grad=True)
    assert Group.from_generators([-learned]).order == 2
