"""Nonlinearities against formulas written out and integrals of scipy."""

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import chi, norm

from oracles.groups import EVERY, name
from steerable import Field
from steerable.groups import irreps
from steerable.layers import Gate, Linear, NormActivation, TensorProductActivation
from steerable.layers.activation import copy_to_components, gate_field, mean_square


def field_of(group, copies=2):
    """Every irrep that occurs up to degree 2."""
    return Field(group, tuple((copies, irrep) for irrep in irreps(group, 2)))


@pytest.mark.parametrize("group", EVERY, ids=name)
def test_unit_variance_through_ten_layers(group):
    torch.manual_seed(0)
    field = field_of(group, 128)
    gate = Gate(field)
    x = torch.randn(100, field.dim)
    for _ in range(10):
        x = gate(Linear(field, gate.field_in)(x))
    assert 0.4 < x.square().mean() < 2.5


def gain(function):
    """1 / sqrt(E[f(z)^2]) by scipy."""
    return quad(lambda z: function(z) ** 2 * norm.pdf(z), -20, 20)[0] ** -0.5


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_gates_are_the_formula():
    """Gates come first; scalars wherever they stand go through SiLU."""
    layer = Gate("1x1o+2x0e+1x2e").double()
    x = torch.randn(3, layer.field_in.dim, dtype=torch.float64)
    gates, rest = x[:, :2].numpy(), x[:, 2:].numpy()
    silu = gain(lambda z: z * sigmoid(z))
    vectors = rest[:, :3] * sigmoid(gates[:, :1]) * gain(sigmoid)
    scalars = rest[:, 3:5] * sigmoid(rest[:, 3:5]) * silu
    tensors = rest[:, 5:] * sigmoid(gates[:, 1:]) * gain(sigmoid)
    np.testing.assert_allclose(layer(x), np.concatenate([vectors, scalars, tensors], 1), rtol=1e-7)
    assert str(gate_field(layer.field_out)) == "2x0e+1x1o+2x0e+1x2e"


@pytest.mark.parametrize(("irrep", "dim"), [("1o", 3), ("2e", 5)])
def test_lengths_are_the_formula_and_keep_variance(irrep, dim):
    layer = NormActivation(f"1x{irrep}").double()

    def power(r):  # of the result, at length r
        return (r * sigmoid(np.sqrt(1 + r * r / dim) - 1)) ** 2

    scale = dim / quad(lambda r: power(r) * chi.pdf(r, dim), 0, 40)[0]
    x = torch.randn(4, dim, dtype=torch.float64)
    lengths = x.norm(dim=1).numpy()
    np.testing.assert_allclose(
        layer(x).detach().norm(dim=1), np.sqrt(scale * power(lengths)), rtol=1e-7
    )
    with torch.no_grad():
        layer.scale.fill_(0.3)
        layer.shift.fill_(-0.7)
    argument = 0.3 * (np.sqrt(1 + lengths**2 / dim) - 1) - 0.7
    expected = x.numpy() * (scale**0.5 * sigmoid(argument))[:, None]
    np.testing.assert_allclose(layer(x).detach(), expected, rtol=1e-7)
    layer.reset_parameters()
    assert layer.scale.item() == 1 and layer.shift.item() == 0


def test_the_square_of_a_channel():
    """Channels do not mix; the part besides the identity is quadratic, of unit variance."""
    layer = TensorProductActivation("1x0e+1x1o", 2).double()
    x = torch.randn(5000, 8, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.fill_(1)
    square = layer(x) - x
    torch.testing.assert_close(layer(3 * x) - 3 * x, 9 * square)
    factors = square[:, 1:4] / x[:, 1:4]
    torch.testing.assert_close(factors, factors[:, :1].expand(-1, 3))
    change = x.clone()
    change[:, 4:] = 0
    torch.testing.assert_close(layer(change)[:, :4], layer(x)[:, :4])
    assert square.square().mean().item() == pytest.approx(1, abs=0.15)
    alone = TensorProductActivation("1x1o", 3)  # no product of two vectors is a polar vector
    assert alone.weight.numel() == 0 and alone(torch.ones(1, 9)).equal(torch.ones(1, 9))


def test_numbers_of_irreps_and_of_components():
    field = Field.parse("2x0e+2x1o")
    x = torch.arange(8.0, dtype=torch.float64)
    assert (x[:4] @ copy_to_components(field)).tolist() == [0, 1, 2, 2, 2, 3, 3, 3]
    expected = torch.tensor([0, 1, (4 + 9 + 16) / 3, (25 + 36 + 49) / 3], dtype=torch.float64)
    torch.testing.assert_close(x.square() @ mean_square(field), expected)
