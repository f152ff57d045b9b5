"""Cosets and double cosets by brute force, and points of G / H."""

import numpy as np
import pytest

from steerable.groups import (
    O3,
    SO2,
    SO3,
    Group,
    GroupError,
    Restricted,
    axial,
    intertwiners,
    irreps,
    point_group,
    rotation,
    trivial,
)
from steerable.groups.cosets import (
    coset_quadrature,
    coset_representatives,
    double_coset_representatives,
)
from steerable.groups.homogeneous import HomSpace

POLAR = axial("Cinf", (0, 1, 0))


@pytest.mark.parametrize("name", ["C4", "D4", "T", "O"])
def test_double_cosets_of_point_groups(name):
    """With e_rho = dim of the maps that commute with rho, also for complex irreps.

    And cosets, by brute force.
    """
    group, rows = point_group(name), set()
    subgroups = [trivial(), Group.from_generators([rotation(np.pi, (0, 0, 1))]), group]
    for left in subgroups:
        for right in subgroups:
            table = group.product_table
            inside = [group.index(h.representatives) for h in (left, right)]
            rows = {
                frozenset(table[table[inside[0], g]][:, inside[1]].ravel().tolist())
                for g in range(group.order)
            }
            spaces = [HomSpace(group, h) for h in (left, right)]
            weights = sum(
                r.type * m.shape[1] * spaces[1].isometries[r].shape[1]
                for r, m in spaces[0].isometries.items()
                if r in spaces[1].isometries
            )
            assert len(double_coset_representatives(group, left, right)) == len(rows) == weights


def test_points_of_finite_and_connected_spaces():
    assert coset_quadrature(point_group("O"), point_group("C4"), 0)[0].shape == (6, 3, 3)
    assert coset_quadrature(O3(), O3(), 5)[0].shape == (1, 3, 3)
    assert coset_quadrature(O3(), SO3(), 5)[0].shape == (2, 3, 3)
    assert (
        coset_quadrature(O3(), axial("Cinfv"), 5)[0].shape
        == coset_quadrature(SO3(), POLAR, 5)[0].shape
    )
    assert len(HomSpace(SO2(), trivial(2), max_degree=2).points(7)[0]) == 15
    assert np.allclose(coset_quadrature(SO3(), axial("Cinf", (0, -1, 0)), 2)[0][0] @ [0, -1, 0],
                       coset_quadrature(SO3(), POLAR, 2)[0][0] @ [0, -1, 0])  # fmt: skip


@pytest.mark.parametrize("subgroup", [axial("Cinf", (1, 2, 3)), POLAR, trivial()], ids=str)
@pytest.mark.parametrize("group", [SO3(), O3()], ids=str)
def test_quadratures_obey_schurs_lemma(group, subgroup):
    """The mean of (g v)(g v)^T over G / H is |v|^2 / d, for v that H leaves."""
    for kind in irreps(group, 2):
        below = Restricted(subgroup, kind)
        fixed = intertwiners(irreps(subgroup, 0)[0], below)
        for v in fixed[..., 0]:
            elements, weights = coset_quadrature(group, subgroup, 2)
            moved = kind.matrices(elements) @ v
            mean = np.einsum("p,pi,pj->ij", weights, moved, moved)
            np.testing.assert_allclose(mean, np.eye(kind.dim) / kind.dim, atol=1e-12)
    assert abs(weights.sum() - 1) < 1e-14


@pytest.mark.parametrize("name", ["T", "D4h", "C3v"])
def test_every_element_has_one_representative(name):
    group = point_group(name)
    for subgroup in (trivial(), Group.from_generators(group.generators[-1:]), group):
        chosen = coset_representatives(group, subgroup)
        np.testing.assert_allclose(chosen[0], np.eye(3), atol=1e-12)
        products = np.einsum("cij,hjk->chik", chosen, subgroup.representatives)
        numbers = group.index(products.reshape(-1, 3, 3))
        assert sorted(numbers.tolist()) == list(range(group.order))


def test_cosets_of_infinite_groups_are_not_listed():
    for call in (
        lambda: coset_representatives(SO3(), trivial()),
        lambda: double_coset_representatives(SO3(), trivial(), POLAR),
    ):
        with pytest.raises(GroupError, match=r"SO\(3\) is infinite, and so its cosets are not"):
            call()
