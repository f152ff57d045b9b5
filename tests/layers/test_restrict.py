"""From a group to a subgroup inside a network."""

import pytest
import torch
from torch import nn

from steerable import Field
from steerable.certify import Role, certify
from steerable.groups import O3, SO3, GroupError, point_group
from steerable.layers import Linear, Restrict


def test_restriction_from_everything_to_a_point_group():
    torch.manual_seed(0)
    small = point_group("D4h")
    net = nn.Sequential(Linear("2x0e+2x2e", "2x0e+2x2e"), Restrict("2x0e+2x2e", small))
    out = net[1].field_out
    whole, part = Role(field=Field.parse("2x0e+2x2e")), Role(field=out)
    x = torch.randn(5, 12, dtype=torch.float64)
    mixed = nn.Sequential(net, Linear(out, out, bias=False))
    assert certify(mixed, [(x, whole)], part, small, dtype=torch.float64).error < 1e-12
    # D4h leaves z^2 of a degree 2 alone, so an invariant of D4h now sees what no invariant of O(3)
    # may.
    invariant = nn.Sequential(mixed, Linear(out, Field(small, ((1, small.irreps(0)[0]),))))
    assert certify(invariant, [(x, whole)], Role(), small, dtype=torch.float64).error < 1e-12
    assert certify(invariant, [(x, whole)], Role(), O3(), dtype=torch.float64).error > 1e-2


def test_it_is_an_orthogonal_change_of_basis():
    group = point_group("C3v")
    layer = Restrict("1x0e+2x1o+1x2e", group).double()
    x = torch.randn(4, 12, dtype=torch.float64)
    torch.testing.assert_close(layer(x) @ layer(x).T, x @ x.T)
    for g in torch.from_numpy(group.representatives):
        moved = layer(x @ layer.field_in.matrix(g).T)
        torch.testing.assert_close(moved, layer(x) @ layer.field_out.matrix(g).T)
    assert torch.linalg.det(torch.from_numpy(group.representatives)).min() < 0


def test_a_group_that_is_no_subgroup():
    with pytest.raises(GroupError, match=r"O\(3\) is not a subgroup of SO\(3\)"):
        Restrict("1x1", O3(), SO3())
