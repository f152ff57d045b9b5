"""Multilayer perceptrons: depth, activations, weights drawn anew, and what cannot be built."""

import pytest
import torch

from steerable import Field, FieldMismatchError
from steerable.groups import O3, SO3
from steerable.layers import MLP, Gate, Linear

IN, HIDDEN, OUT = Field.parse("2x0e+1x1o"), Field.parse("1x1o+1x0e"), Field.parse("1x0e+2x1o")
KINDS = ["gate", "norm", "product"]


def build(activation="gate", layers=3):
    torch.manual_seed(0)
    return MLP(IN, HIDDEN, 4, OUT, layers, activation).double()


def test_one_layer_is_linear():
    x, y = torch.randn(2, 5, IN.dim, dtype=torch.float64)
    torch.testing.assert_close(
        build(layers=1)(x) + build(layers=1)(y), build(layers=1)(x + y) + build(layers=1)(0 * x)
    )
    net = build(layers=3)
    assert (net(x) + net(y) - net(x + y) - net(0 * x)).abs().max() > 1e-2


@pytest.mark.parametrize("activation", [*KINDS, Gate])
def test_motions_and_reflections(activation):
    net, x = build(activation), torch.randn(5, IN.dim, dtype=torch.float64)
    elements = O3().sample(6, torch.Generator().manual_seed(0))
    assert (torch.linalg.det(elements) < 0).any()
    for g in elements:
        moved = net(x @ IN.matrix(g).T)
        torch.testing.assert_close(moved, net(x) @ OUT.matrix(g).T, rtol=0, atol=1e-12)


@pytest.mark.parametrize("activation", KINDS)
def test_weights_are_drawn_anew_as_at_first(activation):
    net, before = build(activation), build(activation).state_dict()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(1)
    torch.manual_seed(0)
    net.float().reset_parameters()
    state = net.double().state_dict()
    assert all(state[key].equal(before[key]) for key in before)


def test_terms_of_the_output_are_scaled():
    net, x = build(), torch.randn(5, IN.dim, dtype=torch.float64)
    y = net(x)
    net.scale_output(torch.tensor([3.0, -0.5]))
    assert isinstance(net.steps[-1], Linear) and not net.steps[-1].bias.any()
    factors = torch.tensor([3.0] + [-0.5] * 6, dtype=torch.float64)
    torch.testing.assert_close(net(x), y * factors)


def test_what_cannot_be_built():
    scalar = Field.parse("0e")
    with pytest.raises(ValueError, match="activation is one of gate, norm, product; got 'relu'"):
        MLP(scalar, scalar, 2, scalar, activation="relu")
    with pytest.raises(ValueError, match="at least 1 linear layer; got 0"):
        MLP(scalar, scalar, 2, scalar, layers=0)
    with pytest.raises(FieldMismatchError, match="MLP needs fields of one group"):
        MLP(scalar, Field.parse("0", SO3()), 2, scalar)
