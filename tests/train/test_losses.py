"""The loss is the sum of its terms over the labels that there are, and so are its gradients."""

import math

import pytest
import torch

from steerable.data import named_labels
from steerable.train import ConfigError
from steerable.train.losses import LOSSES, Loss, Term, scaled


@pytest.fixture
def outputs():
    generator = torch.Generator().manual_seed(0)
    energy = torch.randn(3, generator=generator, dtype=torch.float64)
    forces = torch.randn(6, 3, generator=generator, dtype=torch.float64)
    return {"energy": energy.requires_grad_(), "forces": forces.requires_grad_()}


@pytest.fixture
def loss():
    terms = (Term("energy", scaled("l1", 2.0), 3.0, "eV"), Term("forces", scaled("mse", 1.0)))
    return Loss(terms)


def test_what_is_missing_is_left_out(outputs, loss):
    energy = torch.tensor([1.0, torch.nan, 3.0], dtype=torch.float64)
    forces = torch.ones(6, 3, dtype=torch.float64)
    forces[2] = torch.nan
    forces[4, 1] = torch.nan  # a row that is not whole is missing
    found = loss(outputs, named_labels({"energy": energy, "forces": forces}))
    e, f = outputs["energy"].tolist(), outputs["forces"].tolist()
    first = sum(abs(e[k] - energy[k].item()) / 2 for k in (0, 2)) / 2
    second = sum((x - 1) ** 2 for k in (0, 1, 3, 5) for x in f[k]) / 12
    assert found.item() == pytest.approx(3 * first + second, rel=1e-12)
    found.backward()
    assert outputs["energy"].grad[1] == 0
    assert outputs["forces"].grad[[2, 4]].eq(0).all()
    wanted = torch.tensor([3 / 4 * math.copysign(1, e[k] - (1, 0, 3)[k]) for k in (0, 2)])
    torch.testing.assert_close(outputs["energy"].grad[[0, 2]], wanted.double())


@pytest.mark.parametrize(
    "labels",
    [{}, {"energy": torch.full((3,), torch.nan)}, {"charges": torch.ones(6)}],
)
def test_without_labels_the_loss_and_its_gradients_are_zero(outputs, loss, labels):
    found = loss(outputs, named_labels(labels))
    found.backward()
    assert found.item() == 0
    assert all(value.grad.eq(0).all() for value in outputs.values())


def test_one_name_may_be_absent(outputs, loss):
    energy = torch.zeros(3, dtype=torch.float64)
    found = loss(outputs, named_labels({"energy": energy}))
    assert found.item() == pytest.approx(1.5 * outputs["energy"].abs().mean().item())


@pytest.mark.parametrize("name", LOSSES)
def test_a_scaled_loss_is_that_of_the_scaled_error(name):
    prediction, label = torch.tensor([1.0, 5.0, -2.0]), torch.tensor([0.0, 1.0, -2.5])
    error = (prediction - label) / 4
    wanted = LOSSES[name](error, torch.zeros(3))
    assert scaled(name, 4.0)(prediction, label) == wanted


def test_a_term_of_an_output_that_is_not_there_is_refused(loss):
    with pytest.raises(ConfigError, match="need the output 'forces', and the network returns en"):
        loss({"energy": torch.zeros(3)}, named_labels({"energy": torch.zeros(3)}))


@pytest.mark.parametrize("weight", [-1.0, math.inf, math.nan])
def test_weights_that_make_no_sense_are_refused(weight):
    with pytest.raises(ConfigError, match="finite weights of 0 or more"):
        Loss((Term("energy", scaled("l1", 1.0), weight),))
    with pytest.raises(ConfigError, match="got no term"):
        Loss(())


def test_a_loss_is_printed_with_weights_and_units(loss):
    assert str(loss) == "3 energy [eV] + 1 forces [1]"
