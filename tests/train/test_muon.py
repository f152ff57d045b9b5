"""Muon against singular value decompositions, AdamW and the weights of equivariant maps."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from steerable.field import Field
from steerable.groups import O3
from steerable.layers import Full, Linear
from steerable.train.muon import Matrix, Muon, matrices_of, orthogonal


@pytest.mark.parametrize("shape", [(3, 3), (4, 9), (16, 64)])
def test_singular_values_become_about_one(shape):
    """Those above a hundredth of the norm, and the singular vectors stay."""
    generator = torch.Generator().manual_seed(0)
    count = min(shape)
    u = torch.linalg.qr(torch.randn(5, shape[0], count, generator=generator).double())[0]
    v = torch.linalg.qr(torch.randn(5, shape[1], count, generator=generator).double())[0]
    values = torch.logspace(-1.5, 0, count, dtype=torch.float64).expand(5, -1)
    x = 1e-3 * (u * values.unsqueeze(1)) @ v.mT
    inner = u.mT @ orthogonal(x) @ v
    diagonal = inner.diagonal(dim1=1, dim2=2)
    assert diagonal.min() >= 0.73 and diagonal.max() <= 1.276
    assert (inner - torch.diag_embed(diagonal)).abs().max() < 1e-10


def test_zero_stays_zero():
    assert orthogonal(torch.zeros(2, 3, 4)).abs().max() == 0


def test_a_step_is_the_formula():
    torch.manual_seed(0)
    model = nn.Linear(5, 3).double()
    weight, bias = model.weight.detach().clone(), model.bias.detach().clone()
    optimizer = Muon(model, lr=0.1, weight_decay=0.5, momentum=0.9)
    adam = torch.optim.AdamW([nn.Parameter(bias.clone())], lr=0.1, weight_decay=0.5)
    (reference,) = adam.param_groups[0]["params"]
    momentum = torch.zeros_like(weight)
    for _ in range(3):
        gradient = torch.randn_like(weight)
        model.weight.grad, model.bias.grad = gradient.clone(), gradient[:, 0].clone()
        reference.grad = gradient[:, 0].clone()
        optimizer.step()
        adam.step()
        momentum = 0.9 * momentum + 0.1 * gradient
        direction = 0.1 * gradient + 0.9 * momentum
        # Its singular values are alike, so that all become about 1: compare by the polar factor.
        step = orthogonal(direction.unsqueeze(0))[0]
        weight = weight * (1 - 0.1 * 0.5) - 0.1 * 0.2 * 5**0.5 * step
        torch.testing.assert_close(model.weight.detach(), weight, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(model.bias.detach(), reference.detach(), rtol=1e-6, atol=1e-9)


def test_weights_of_equivariant_maps_are_matrices_for_each_irrep():
    field = Field.parse("4x0e+3x1o", O3())
    linear, other = Linear(field, field), Linear(field, Field.parse("2x1o", O3()), bias=False)
    model = nn.ModuleList([linear, other, nn.Embedding(4, 4), nn.Linear(4, 1)])
    assert matrices_of(model) == {
        linear.weight: [Matrix(0, 4, 4), Matrix(16, 3, 3)],
        other.weight: [Matrix(0, 2, 3)],
    }
    x = torch.randn(10, field.dim)
    blocks = Matrix(16, 3, 3).of(linear.weight)
    vectors = torch.einsum("oc,ncm->nom", blocks, x[:, 4:].view(10, 3, 3))
    torch.testing.assert_close(linear(x)[:, 4:].view(10, 3, 3), vectors)


def test_groups_of_a_contraction_are_matrices_of_their_own():
    field = Field.parse("4x0e", O3())
    contraction = Full(Field.parse("0e", O3()), 2, field, field, groups=2)
    (matrices,) = matrices_of(contraction).values()
    assert matrices == [Matrix(0, 4, 2), Matrix(8, 4, 2)]


def test_frozen_weights_and_those_without_gradients_stay():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4))
    model[0].requires_grad_(False)
    before = copy.deepcopy(model)
    model[1](torch.ones(2, 4)).sum().backward()
    Muon(model, lr=0.1).step()
    assert torch.equal(model[0].weight, before[0].weight)
    assert torch.equal(model[2].weight, before[2].weight)
    assert not torch.equal(model[1].weight, before[1].weight)


def test_a_loaded_state_goes_on_as_if_nothing_had_been():
    torch.manual_seed(0)
    model = nn.Sequential(Linear("4x0e+2x1o", "4x0e+2x1o"), nn.Linear(10, 6))
    x, y = torch.randn(20, 10), torch.randn(20, 6)

    def train(net, optimizer, steps):
        for _ in range(steps):
            optimizer.zero_grad()
            loss = (net(x) - y).square().mean()
            loss.backward()
            optimizer.step()
        return float(loss.detach())

    optimizer = Muon(model, lr=1e-2)
    start = train(model, optimizer, 5)
    other, state = copy.deepcopy(model), copy.deepcopy(optimizer.state_dict())
    resumed = Muon(other, lr=1.0)
    resumed.load_state_dict(state)
    assert train(model, optimizer, 20) == pytest.approx(train(other, resumed, 20), rel=1e-6)
    assert train(model, optimizer, 1) < start


def test_polynomials_are_the_best_ones():
    """No other polynomial of that form has a smaller largest error, by a fine grid of changes."""
    from steerable.train.muon import _POLYNOMIALS

    low, high = 0.01, 1.0
    for a, b, c in _POLYNOMIALS:
        x = np.linspace(low, high, 4001)
        values = a * x + b * x**3 + c * x**5
        error = np.abs(1 - values).max()
        for change in np.eye(3):
            for sign in (-1, 1):
                da, db, dc = 0.02 * sign * change
                other = (a + da) * x + (b + db) * x**3 + (c + dc) * x**5
                assert np.abs(1 - other).max() > error - 1e-4
        low, high = values.min(), values.max()
    assert low > 0.729 and high < 1.276
