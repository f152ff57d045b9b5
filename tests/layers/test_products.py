"""Products against the formula written out, their symmetry, and what they refuse."""

import numpy as np
import pytest
import torch

from oracles.groups import EVERY, name
from oracles.states import assert_refused
from steerable import Field
from steerable.certify import Role, certify
from steerable.groups import O3, irreps
from steerable.layers import Products


def field_of(group, copies=2):
    """Every irrep that occurs up to degree 2."""
    return Field(group, tuple((copies, irrep) for irrep in irreps(group, 2)))


def silu(x):
    return x / (1 + np.exp(-x))


def test_products_are_the_formula():
    """Trivial irreps wherever they stand; u and v by the weights of the linear map."""
    torch.manual_seed(0)
    layer = Products("2x1o+3x0e+1x2e").double()
    x = torch.randn(4, layer.field_in.dim, dtype=torch.float64)
    vectors, scalars, tensors = x[:, :6].view(4, 2, 3), x[:, 6:9], x[:, 9:].view(4, 1, 5)
    weight = layer.maps.weight.detach()
    # Paths by outputs: u and v of the vectors (2 x 2 each), u and v of the tensors (1 x 1 each).
    u1, u2 = weight[:4].view(2, 2), weight[4:5].view(1, 1)
    v1, v2 = weight[5:9].view(2, 2), weight[9:].view(1, 1)
    u = [torch.einsum("oc,ncm->nom", m, y) for m, y in ((u1, vectors), (u2, tensors))]
    v = [torch.einsum("oc,ncm->nom", m, y) for m, y in ((v1, vectors), (v2, tensors))]
    mixed = torch.cat([(a * b).mean(-1) for a, b in zip(u, v, strict=True)], 1)
    squares = torch.cat([(a * a).mean(-1) for a in u], 1)
    first, last = layer.perceptron[0], layer.perceptron[2]
    inner = torch.cat([scalars, mixed, squares], 1).numpy()
    hidden = silu(inner @ first.weight.detach().numpy().T + first.bias.detach().numpy())
    a, b = np.split(hidden @ last.weight.detach().numpy().T + last.bias.detach().numpy(), [3], 1)
    wanted = [
        vectors + torch.from_numpy(b[:, :2, None]) * u[0],
        scalars + torch.from_numpy(a),
        tensors + torch.from_numpy(b[:, 2:, None]) * u[1],
    ]
    expected = torch.cat([part.flatten(1) for part in wanted], 1)
    torch.testing.assert_close(layer(x), expected, rtol=1e-12, atol=1e-12)
    invariants = Products("2x1o+3x0e+1x2e", "3x0e").double()
    invariants.maps.load_state_dict(layer.maps.state_dict())
    with torch.no_grad():
        invariants.perceptron[0].weight.copy_(first.weight)
        invariants.perceptron[0].bias.copy_(first.bias)
        invariants.perceptron[2].weight.copy_(last.weight[:3])
        invariants.perceptron[2].bias.copy_(last.bias[:3])
    torch.testing.assert_close(invariants(x), expected[:, 6:9], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("group", EVERY, ids=name)
def test_products_commute_with_every_group(group):
    torch.manual_seed(0)
    field = field_of(group)
    if field.is_invariant:
        pytest.skip("no irrep turns")
    layer = Products(field)
    x = torch.randn(5, field.dim, dtype=torch.float64)
    report = certify(layer, [(x, Role(field=field))], Role(field=field), group, dtype=torch.float64)
    assert report.error < 1e-10, report


def test_products_see_angles_that_a_gate_does_not():
    """Two vectors at two angles: their lengths are equal, the product is not."""
    torch.manual_seed(0)
    layer = Products("1x0e+2x1o", "1x0e").double()
    straight = torch.tensor([[0.0, 1, 0, 0, -1, 0, 0]], dtype=torch.float64)
    bent = torch.tensor([[0.0, 1, 0, 0, 0, 1, 0]], dtype=torch.float64)
    assert (layer(straight) - layer(bent)).abs().max() > 1e-3


def test_gradients_of_second_order():
    torch.manual_seed(0)
    layer = Products("2x0e+2x1o").double()
    x = torch.randn(2, layer.field_in.dim, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, x)
    assert torch.autograd.gradgradcheck(layer, x)


def test_what_products_refuse():
    with pytest.raises(ValueError, match="4x0e has trivial irreps alone"):
        Products("4x0e")
    with pytest.raises(ValueError, match=r"are of the same type or 4x0e; got 2x0e"):
        Products("4x0e+2x1o", "2x0e")
    assert_refused(Products("2x0e+2x1o"), Products("2x0e+2x1e").state_dict())
    empty = Products("2x0e+1x1o", group=O3())
    assert empty(torch.zeros(0, 5)).shape == (0, 5)
