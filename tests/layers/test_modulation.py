"""Modulation against its formula, its symmetry, and what it refuses."""

import pytest
import torch

from oracles.groups import EVERY, name
from oracles.states import assert_refused
from steerable import Field
from steerable.certify import Role, certify
from steerable.groups import irreps
from steerable.layers import Modulation


def test_every_copy_has_its_factor():
    torch.manual_seed(0)
    layer = Modulation("2x0e+3x1o", 4).double()
    x, a = torch.randn(6, 11, dtype=torch.float64), torch.randn(6, 4, dtype=torch.float64)
    assert torch.equal(layer(x, a), x)
    torch.nn.init.normal_(layer.weight)
    factors = 1 + torch.einsum("nk,kc->nc", a, layer.weight)
    vectors = x[:, 2:].view(6, 3, 3) * factors[:, 2:, None]
    expected = torch.cat([x[:, :2] * factors[:, :2], vectors.flatten(1)], 1)
    torch.testing.assert_close(layer(x, a), expected)


@pytest.mark.parametrize("group", EVERY, ids=name)
def test_it_commutes_with_every_group(group):
    torch.manual_seed(0)
    field = Field(group, tuple((2, irrep) for irrep in irreps(group, 2)))
    layer = Modulation(field, 3)
    torch.nn.init.normal_(layer.weight)
    inputs = [
        (torch.randn(5, field.dim, dtype=torch.float64), Role(field=field)),
        (torch.randn(5, 3, dtype=torch.float64), Role()),
    ]
    report = certify(layer, inputs, Role(field=field), group, dtype=torch.float64)
    assert report.error < 1e-10, report


def test_what_it_refuses():
    layer = Modulation("2x0e+3x1o", 4)
    with pytest.raises(ValueError, match=r"needs 4 attributes for each row .* got \(6, 3\)"):
        layer(torch.randn(6, 11), torch.randn(6, 3))
    assert_refused(layer, Modulation("2x0e+3x1e", 4).state_dict())
