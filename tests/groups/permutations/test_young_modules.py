"""Young modules: functions on cosets, counted by Kostka numbers, the solver and traces."""

import numpy as np
import pytest
import torch

from steerable.groups import GroupError, Induced, Restricted, intertwiners, quotient
from steerable.groups.permutations.permutations import compose
from steerable.groups.permutations.symmetric import Specht, SymmetricGroup, YoungSubgroup
from steerable.groups.permutations.tableaux import partitions
from steerable.groups.permutations.young_modules import YoungModule


def draw(group, count=5, seed=0):
    return group.sample(count, torch.Generator().manual_seed(seed)).numpy()


@pytest.mark.parametrize(
    "parts", [parts for n in (1, 2, 3, 4) for parts in partitions(n)] + [(3, 2), (4, 1), (3, 1, 1)]
)
def test_young_modules(parts):
    """A representation that holds every irrep as often as the Kostka number says.

    By the solver and by traces.
    """
    module, n = YoungModule(parts), sum(parts)
    group = module.group
    s, t = draw(group), draw(group, seed=1)
    np.testing.assert_array_equal(
        module.matrices(s) @ module.matrices(t), module.matrices(compose(s, t))
    )
    counts = module.multiplicities()
    assert sum(count * Specht(group, (shape,)).dim for shape, count in counts.items()) == module.dim
    traces = np.trace(module.matrices(group.elements), axis1=1, axis2=2)
    assert (traces**2).mean() == sum(count**2 for count in counts.values())
    for irrep in group.irreps():
        isometries = intertwiners(irrep, module)
        assert len(isometries) == counts.get(irrep.shapes[0], 0)
    first = np.trace(YoungModule((n,)).matrices(group.elements), axis1=1, axis2=2)
    assert (first == 1).all()


def test_functions_on_points_and_on_cosets():
    group = SymmetricGroup(4)
    s = draw(group)
    (sorting,) = (YoungModule((3, 1)).matrices(s[:1]),)
    assert sorting.shape == (1, 4, 4)
    points = Restricted(group, YoungModule((3, 1)))
    assert len(intertwiners(points, points)) == 2
    induced = quotient(group, YoungSubgroup((2, 2)))
    assert len(intertwiners(induced, YoungModule((2, 2)))) == 3
    sign = Specht(YoungSubgroup((2, 2)), ((1, 1), (2,)))
    assert [len(intertwiners(Induced(group, sign), irrep)) for irrep in group.irreps()] == [
        0,
        1,
        0,
        1,
        0,
    ]


def test_functions_on_points_are_permutation_matrices():
    """M^(n-1, 1): the point that differs moves as the points do."""
    module = YoungModule((4, 1))
    s = draw(module.group)
    moved = module.matrices(s)
    assert (moved.sum(1) == 1).all() and moved.shape == (5, 5, 5)
    np.testing.assert_array_equal(np.trace(moved, axis1=1, axis2=2), (s == np.arange(5)).sum(1))
    assert module.multiplicities() == {(5,): 1, (4, 1): 1}
    with pytest.raises(GroupError, match="no partition"):
        YoungModule((1, 4))
