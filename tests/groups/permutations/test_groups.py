"""Groups of permutations from generators."""

import numpy as np
import pytest
import torch

from steerable.groups import O3, SO3, GroupError
from steerable.groups.permutations.groups import PermutationGroup
from steerable.groups.permutations.permutations import compose, places
from steerable.groups.permutations.symmetric import SymmetricGroup, YoungSubgroup

S4 = SymmetricGroup(4)


def test_permutation_groups():
    """Closure, equality by elements, places, subgroups, uniform samples."""
    cycle = PermutationGroup([(1, 2, 3, 0)])
    assert cycle == PermutationGroup([(3, 0, 1, 2)]) != PermutationGroup([(1, 0, 2, 3)])
    assert (
        hash(cycle) == hash(PermutationGroup([(3, 0, 1, 2)]))
        and cycle.has_reflections
        and cycle.order == 4
    )
    dihedral_group = PermutationGroup([(1, 2, 3, 0), (2, 1, 0, 3)])
    assert (
        cycle.subgroup_of(dihedral_group)
        and cycle.subgroup_of(S4)
        and not dihedral_group.subgroup_of(cycle)
    )
    assert not cycle.subgroup_of(YoungSubgroup((2, 2))) and not cycle.subgroup_of(SymmetricGroup(5))
    assert not cycle.subgroup_of(O3()) and not PermutationGroup([(1, 2, 0)]).subgroup_of(SO3())
    assert repr(dihedral_group) == "permutation group of order 8 on 4 points"
    np.testing.assert_array_equal(
        dihedral_group.index(dihedral_group.representatives), np.arange(8)
    )
    elements = dihedral_group.elements
    products = compose(elements[:, None], elements).reshape(-1, 4)
    assert set(places(products).tolist()) == set(places(elements).tolist()) and elements[
        0
    ].tolist() == [0, 1, 2, 3]
    drawn = dihedral_group.sample(4000, torch.Generator().manual_seed(0)).numpy()
    assert np.bincount(dihedral_group.index(drawn), minlength=8).min() > 430
    assert PermutationGroup([(1, 0, 2, 3, 4, 5, 6, 7), (1, 2, 3, 4, 5, 6, 7, 0)]).order == 40320


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (lambda: PermutationGroup([]), "at least one permutation"),
        (lambda: PermutationGroup([(0, 0, 1)]), "no permutation of 0..2"),
        (
            lambda: PermutationGroup([(1, 2, 0)]).index([[1, 0, 2]]),
            "Not every permutation is an element",
        ),
        (
            lambda: PermutationGroup([(1, 0, *range(2, 9)), (*range(1, 9), 0)]).order,
            "more than 8! = 40320 elements, which are not listed",
        ),
    ],
)
def test_what_is_no_group(wrong, text):
    with pytest.raises(GroupError, match=text):
        wrong()
