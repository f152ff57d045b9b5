"""What every layer must do.

Commute with random elements, keep unit variance, work in float32, compile, pickle.
"""

import copy
import pickle

import pytest
import torch
from torch import nn

from contracts.sweeps import sweep
from oracles.groups import EVERY, name
from oracles.states import weights_of
from steerable import Field, FieldMismatchError
from steerable.certify import Role, certify
from steerable.groups import O3, SO3, irreps, point_group
from steerable.layers import (
    MLP,
    BatchNorm,
    CosetActivation,
    Dropout,
    FourierActivation,
    Gate,
    InstanceNorm,
    LayerNorm,
    Linear,
    NormActivation,
    Restrict,
    RMSNorm,
    TensorProductActivation,
)


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
        "FourierActivation": FourierActivation(group, 2, channels, oversampling=4),
        **(
            {"CosetActivation": CosetActivation(group, channels)}
            if group.order and group.order < 50
            else {}
        ),
        "Restrict": Restrict(field, group),
        "RMSNorm": RMSNorm(field),
        "BatchNorm": BatchNorm(field),
        "InstanceNorm": InstanceNorm(field),
        "LayerNorm": LayerNorm(field),
        "Dropout": Dropout(field).eval(),
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
        sampled = label == "FourierActivation" and group.order is None
        assert report.error < (1e-4 if sampled else 1e-12), f"{label}\n{report}"


def test_the_check_fails_on_a_broken_twin():
    layer = Linear("2x0e+2x1o", "2x0e+2x1o")
    broken = nn.Sequential(layer, nn.Linear(8, 8))
    x = torch.randn(5, 8, dtype=torch.float64)
    report = certify(
        broken, [(x, Role(field=layer.field_in))], Role(field=layer.field_out), dtype=torch.float64
    )
    assert report.error > 1e-2 and not report.passed and "NOT EQUIVARIANT" in str(report)


@pytest.mark.parametrize("group", EVERY[:6], ids=name)
def test_unit_variance_at_the_start(group):
    torch.manual_seed(0)
    for label, layer in layers_of(group, 24, 24).items():
        variance = layer(torch.randn(400, layer.field_in.dim)).square().mean()
        assert 0.5 < variance < 2, f"{label}: {variance}"


EACH = [(group, label) for group in (O3(), point_group("C3v")) for label in layers_of(group)]
OF_O3 = [case for case in EACH if case[0] == O3()]


@pytest.mark.parametrize(
    "case", sweep(EACH, [*OF_O3, (point_group("C3v"), "CosetActivation")]), ids=str
)
def test_float32_pickle_copy_compile_and_state(case):
    group, label = case
    torch.manual_seed(0)
    layer = layers_of(group)[label]
    layer.eval()
    x = torch.randn(4, layer.field_in.dim)
    y = layer(x)
    assert y.dtype == torch.float32 and y.shape == (4, layer.field_out.dim)
    assert layer(x[:0]).shape == (0, layer.field_out.dim)
    if label != "InstanceNorm":
        assert layer(x.view(2, 2, -1)).allclose(y.view(2, 2, -1), atol=1e-6)
    assert pickle.loads(pickle.dumps(layer))(x).equal(y) and copy.deepcopy(layer)(x).equal(y)
    assert set(layer.train().state_dict()) == set(layer.eval().state_dict())
    assert not any(key.rsplit(".", 1)[-1].startswith("_") for key in weights_of(layer))
    compiled = torch.compile(layer, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(x), y, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("label", list(layers_of(SO3())))
def test_second_derivatives(label):
    torch.manual_seed(0)
    layer = layers_of(SO3())[label].double()
    x = torch.randn(2, layer.field_in.dim, dtype=torch.float64)
    x[1] = 0  # lengths must be differentiable twice at zero
    x.requires_grad_(True)
    assert torch.autograd.gradcheck(layer, x, fast_mode=True) and torch.autograd.gradgradcheck(
        layer, x, fast_mode=True
    )


def test_norms_against_their_definition():
    torch.manual_seed(0)
    field = Field.parse("3x0e+2x1o")
    x = 2 + 3 * torch.randn(50, 9)
    y = BatchNorm(field)(x)
    torch.testing.assert_close(y[:, :3].mean(0), torch.zeros(3), atol=1e-6, rtol=0)
    torch.testing.assert_close(y[:, :3].std(0, unbiased=False), torch.ones(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(y[:, 3:6].square().mean(), torch.tensor(1.0), atol=1e-5, rtol=0)
    torch.testing.assert_close(
        y[:, 3:6] / x[:, 3:6], (y[0, 3] / x[0, 3]).expand(50, 3)
    )  # vectors keep direction
    layer = BatchNorm(field, momentum=1.0)
    layer(x)
    torch.testing.assert_close(layer.eval()(x), y, atol=1e-5, rtol=1e-5)
    batch = torch.arange(50) // 25
    apart = torch.cat([BatchNorm(field)(x[:25]), BatchNorm(field)(x[25:])])
    torch.testing.assert_close(InstanceNorm(field)(x, batch), apart, atol=1e-5, rtol=1e-5)
    z = LayerNorm(field)(x)
    torch.testing.assert_close(
        z[:, :3], torch.nn.functional.layer_norm(x[:, :3], (3,)), atol=1e-5, rtol=1e-5
    )
    torch.testing.assert_close(z[:, 3:].square().mean(1), torch.ones(50), atol=1e-5, rtol=0)


def test_dropout_takes_whole_irreps_and_keeps_the_mean():
    torch.manual_seed(0)
    layer = Dropout("3x0e+2x1o", 0.25)
    y = layer(torch.ones(4000, 9))
    assert y.unique().tolist() == pytest.approx([0, 4 / 3])
    assert y[:, 3].equal(y[:, 4]) and y[:, 3].equal(y[:, 5]) and not y[:, 3].equal(y[:, 6])
    assert abs(float(y.mean()) - 1) < 0.03
    with pytest.raises(ValueError, match="at least 0 and below 1; got 1"):
        Dropout("0e", 1.0)


def test_features_that_do_not_fit():
    with pytest.raises(
        FieldMismatchError, match=r"Linear expects features of 2x0e\+1x1o \(5 channels\) and got 4"
    ):
        Linear("2x0e+1x1o", "1x0e")(torch.randn(3, 4))
    with pytest.raises(
        FieldMismatchError, match=r"one group; got 1x0e of O\(3\) and 1x0 of SO\(3\)"
    ):
        Linear(Field.parse("0e"), Field.parse("0", SO3()))
