"""Every point group: the orders, classes and irreps that mathematics gives."""

import numpy as np
import pytest
import torch

from contracts.sweeps import sweep
from steerable.groups import (
    GroupError,
    axial,
    cyclic,
    dihedral,
    inversion,
    mirror,
    named_group,
    point_group,
    rotation,
)
from steerable.groups.named import HERMANN_MAUGUIN

REAL, COMPLEX = 1, 2


def of_cyclic(n):
    """Real irreps (dim, type) of C_n: one per pair of conjugate characters."""
    return [(1, REAL)] * (2 - n % 2) + [(2, COMPLEX)] * ((n - 1) // 2)


def of_dihedral(n):
    """Real irreps of D_n; for n = 1 and 2 those of C_2 and C_2 x C_2."""
    return [(1, REAL)] * (2 if n % 2 else 4) + [(2, REAL)] * ((n - 1) // 2)


TETRAHEDRAL = [(1, REAL), (2, COMPLEX), (3, REAL)]
OCTAHEDRAL = [(1, REAL), (1, REAL), (2, REAL), (3, REAL), (3, REAL)]
ICOSAHEDRAL = [(1, REAL), (3, REAL), (3, REAL), (4, REAL), (5, REAL)]

FAMILIES = {
    "Ci": (2, of_cyclic(2)), "Cs": (2, of_cyclic(2)),
    "T": (12, TETRAHEDRAL), "Th": (24, TETRAHEDRAL * 2), "Td": (24, OCTAHEDRAL),
    "O": (24, OCTAHEDRAL), "Oh": (48, OCTAHEDRAL * 2),
    "I": (60, ICOSAHEDRAL), "Ih": (120, ICOSAHEDRAL * 2),
}  # fmt: skip
for n in range(1, 25):
    FAMILIES[f"C{n}"] = n, of_cyclic(n)
    FAMILIES[f"D{n}"] = 2 * n, of_dihedral(n)
for n in [*range(1, 9), 12, 17, 24]:
    FAMILIES[f"C{n}h"] = 2 * n, of_cyclic(n) * 2 if n % 2 == 0 else of_cyclic(2 * n)
    FAMILIES[f"C{n}v"] = 2 * n, of_dihedral(n)
    FAMILIES[f"D{n}h"] = 4 * n, of_dihedral(n) * 2 if n % 2 == 0 else of_dihedral(2 * n)
    FAMILIES[f"D{n}d"] = 4 * n, of_dihedral(n) * 2 if n % 2 else of_dihedral(2 * n)
    FAMILIES[f"S{2 * n}"] = 2 * n, of_cyclic(2 * n)


SMALL = [name for name, (order, _) in FAMILIES.items() if order <= 32 or name in ("Oh", "Ih")]


@pytest.mark.parametrize("name", sweep(FAMILIES, SMALL))
def test_orders_classes_and_irreps(name):
    order, expected = FAMILIES[name]
    group = point_group(name)
    found = group.irreps(60)
    assert group.order == order
    assert sorted((r.dim, r.type) for r in found) == sorted(expected)
    assert sum(r.dim**2 / r.type for r in found) == order
    assert len(group.classes()) == sum(
        r.type for r in found
    )  # complex irreps; no point group has quaternionic ones
    characters = np.array(
        [np.trace(r.matrices(group.representatives), axis1=1, axis2=2) for r in found]
    )
    gram = characters @ characters.T / order
    assert np.abs(gram - np.diag([float(r.type) for r in found])).max() < 1e-12
    a, b = (group.sample(4, torch.Generator().manual_seed(seed)) for seed in (0, 1))
    for irrep in found:
        assert (irrep.matrix(a) @ irrep.matrix(b) - irrep.matrix(a @ b)).abs().max() < 1e-12


@pytest.mark.parametrize("n", range(1, 25))
def test_groups_of_the_plane(n):
    for group, order, expected in (
        (cyclic(n), n, of_cyclic(n)),
        (dihedral(n, angle=0.3), 2 * n, of_dihedral(n)),
    ):
        assert group.order == order and group.dim == 2
        assert sorted((r.dim, r.type) for r in group.irreps(30)) == sorted(expected)
        assert len(group.classes()) == sum(r.type for r in group.irreps(30))


def test_the_crystallographic_groups_have_two_names():
    assert len(HERMANN_MAUGUIN) == 32 and len(set(HERMANN_MAUGUIN.values())) == 32
    for symbol, name in HERMANN_MAUGUIN.items():
        assert point_group(symbol) == point_group(name)
        assert all(point_group(symbol).contains(g) for g in point_group(name).representatives)


def test_subgroups_and_turned_axes():
    assert point_group("T").subgroup_of(point_group("Oh")) and not point_group("C5").subgroup_of(
        point_group("Oh")
    )
    assert point_group("D4h").subgroup_of(axial("Dinfh")) and point_group("C4v").subgroup_of(
        axial("Cinfv")
    )
    tilted = axial("Cinfv", [1, 2, 3])
    assert tilted != axial("Cinfv") and tilted == axial("Cinfv", [-1, -2, -3])
    assert point_group("C3v").conjugate(rotation(0.3, [0, 0, 1])) != point_group("C3v")
    assert (
        point_group("C3v").conjugate(rotation(np.pi / 3, [0, 0, 1]) @ np.diag([1.0, 1, 1])).order
        == 6
    )
    assert dihedral(4, angle=0.3) != dihedral(4) and dihedral(4, angle=np.pi / 4) == dihedral(4)
    assert cyclic(6, dim=3) == point_group("C6") and dihedral(3, dim=3) == point_group("D3")
    assert mirror() == point_group("Cs") and inversion() == point_group("Ci")
    assert mirror([1, 1, 0]).contains(np.diag([-1.0, 1, 1])) is False and mirror(
        [2, 0, 0]
    ).contains(np.diag([-1.0, 1, 1]))
    assert named_group("4/mmm") == point_group("D4h") and named_group("Cinfv") == axial("Cinfv")


def test_product_table_and_classes_of_the_tetrahedron():
    group = point_group("T")
    g = group.representatives
    table = group.product_table
    assert np.abs(g[table] - np.einsum("aij,bjk->abik", g, g)).max() < 1e-12
    assert sorted(len(members) for members in group.classes()) == [1, 3, 4, 4]


@pytest.mark.parametrize("name", ["D0", "C", "S3", "C4x", "Q8", "tetrahedron", "C-3"])
def test_unknown_names(name):
    with pytest.raises(GroupError, match="A point group is named like C3, C3v"):
        point_group(name)


def test_unknown_names_elsewhere():
    with pytest.raises(GroupError, match="An axial group is one of Cinf, Cinfv.*got 'C3v'"):
        axial("C3v")
    with pytest.raises(GroupError, match="An axis is three finite numbers"):
        axial("Cinf", [0, 0, 0])
    with pytest.raises(GroupError, match=r"one of O\(3\), SO\(3\).*Did you mean 'SO\(3\)'"):
        named_group("SO3")
    with pytest.raises(GroupError, match="at least 1; got 0"):
        cyclic(0)
    with pytest.raises(GroupError, match="infinitely many elements and so no product table"):
        axial("Cinf").product_table  # noqa: B018


def test_restriction_with_multiplicities():
    cube, tower = point_group("Oh"), point_group("D4h")
    for irrep in cube.irreps():
        parts = cube.restrict(irrep, tower)
        elements = tower.representatives
        for below in tower.irreps():
            inner = (
                irrep.character(torch.from_numpy(elements))
                * below.character(torch.from_numpy(elements))
            ).mean()
            assert sum(part == below for part, _ in parts) == round(float(inner))
    with pytest.raises(GroupError, match="cannot be restricted from Oh to I"):
        cube.restrict(cube.irreps()[0], point_group("I"))
