"""What every layer must do: commute with random elements, keep unit variance, work in float32, compile, pickle."""

import pickle

import pytest
import torch
from torch import nn

from oracles.groups import EVERY, name
from steerable import Field, FieldMismatchError
from steerable.certify import Role, certify
from steerable.groups import O3, SO3, irreps
from steerable.layers import MLP, Gate, Linear, NormActivation, RMSNorm, TensorProductActivation


def field_of(group, copies=2):
    """Every irrep that occurs up to degree 2."""
    return Field(group, tuple((copies, irrep) for irrep in irreps(group, 2)))


def layers_of(group, copies=2, channels=3):
    field = field_of(group, copies)
    single = field_of(group, 1)
    return {
        "Linear": Linear(field, single + field),
        "Gate": Gate(field),
        "NormActivation": NormActivation(field),
        "TensorProductActivation": TensorProductActivation(single, channels),
        "RMSNorm": RMSNorm(field),
        "MLP gate": MLP(field, single, channels, field, 3, "gate"),
        "MLP norm": MLP(field, single, channels, field, 3, "norm"),
        "MLP product": MLP(field, single, channels, field, 3, "product"),
    }


def randomise(layer):
    """Parameters that are 0 or 1 at the start would hide errors."""
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape))


@pytest.mark.parametrize("group", EVERY, ids=name)
def test_commutes_with_random_elements(group):
    torch.manual_seed(0)
    for label, layer in layers_of(group).items():
        randomise(layer)
        x = torch.randn(5, layer.field_in.dim, dtype=torch.float64)
        roles = Role(field=layer.field_in), Role(field=layer.field_out)
        report = certify(layer, [(x, roles[0])], roles[1], group, elements=5, dtype=torch.float64)
        assert report.error < 1e-12, f"{label}\n{report}"


def test_the_check_fails_on_a_broken_twin():
    layer = Linear("2x0e+2x1o", "2x0e+2x1o")
    broken = nn.Sequential(layer, nn.Linear(8, 8))
    x = torch.randn(5, 8, dtype=torch.float64)
    report = certify(broken, [(x, Role(field=layer.field_in))], Role(field=layer.field_out), dtype=torch.float64)
    assert report.error > 1e-2 and not report.passed and "NOT EQUIVARIANT" in str(report)


@pytest.mark.parametrize("group", EVERY[:6], ids=name)
def test_unit_variance_at_the_start(group):
    torch.manual_seed(0)
    for label, layer in layers_of(group, 24, 24).items():
        variance = layer(torch.randn(400, layer.field_in.dim)).square().mean()
        assert 0.5 < variance < 2, f"{label}: {variance}"


def test_double_starts_from_exact_constants():
    layer = Gate("2x0e+2x1o")
    exact = layer._exact["_spread"]
    assert layer.double()._spread.equal(exact)
    assert layer.float().double()._spread.equal(exact)


@pytest.mark.parametrize("label", list(layers_of(O3())))
def test_float32_pickle_compile_and_state(label):
    torch.manual_seed(0)
    layer = layers_of(O3())[label]
    x = torch.randn(4, layer.field_in.dim)
    y = layer(x)
    assert y.dtype == torch.float32 and y.shape == (4, layer.field_out.dim)
    assert layer(x[:0]).shape == (0, layer.field_out.dim)
    assert layer(x.view(2, 2, -1)).allclose(y.view(2, 2, -1), atol=1e-6)
    assert pickle.loads(pickle.dumps(layer))(x).equal(y)
    assert set(layer.eval().state_dict()) == set(layer.train().state_dict())
    assert not any(key.rsplit(".", 1)[-1].startswith("_") for key in layer.state_dict())
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x), y, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("label", list(layers_of(SO3())))
def test_second_derivatives(label):
    torch.manual_seed(0)
    layer = layers_of(SO3())[label].double()
    x = torch.randn(2, layer.field_in.dim, dtype=torch.float64)
    x[1] = 0  # lengths must be differentiable twice at zero
    x.requires_grad_(True)
    assert torch.autograd.gradcheck(layer, x, fast_mode=True) and torch.autograd.gradgradcheck(layer, x, fast_mode=True)


def test_features_that_do_not_fit():
    with pytest.raises(FieldMismatchError, match=r"Linear expects features of 2x0e\+1x1o \(5 channels\) and got 4"):
        Linear("2x0e+1x1o", "1x0e")(torch.randn(3, 4))
    with pytest.raises(FieldMismatchError, match=r"one group; got 1x0e of O\(3\) and 1x0 of SO\(3\)"):
        Linear(Field.parse("0e"), Field.parse("0", SO3()))
    with pytest.raises(ValueError, match="activation is one of gate, norm, product; got 'relu'"):
        MLP(Field.parse("0e"), Field.parse("0e"), 2, Field.parse("0e"), activation="relu")
    with pytest.raises(ValueError, match="at least 1 linear layer; got 0"):
        MLP(Field.parse("0e"), Field.parse("0e"), 2, Field.parse("0e"), layers=0)
