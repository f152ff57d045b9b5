import math

import pytest
import torch
from torch.optim.swa_utils import AveragedModel

from steerable.train import FitConfig
from steerable.train.learner import Learner, Mean, plateau, running_average
from steerable.train.tasks import qm9


@pytest.fixture
def loss():
    return "l1"


@pytest.fixture
def learner(molecules, build, config, loss):
    config.fit = FitConfig(epochs=10, warmup_steps=4, lr=1.0, batch_size=10, loss=loss)
    problem = qm9.pose(config, molecules)
    return Learner(build([1, 6, 8]), config.fit, problem)


@pytest.mark.parametrize(("loss", "power"), [("l1", 1), ("mse", 2)])
def test_the_loss_is_in_units_of_the_spread(learner, power):
    batch = next(iter(learner.problem.train))
    error = (learner.model(*batch[:-1]) - batch.y) / learner.problem.arguments["scale"]
    assert torch.allclose(learner.training_step(batch), error.abs().pow(power).mean())


def test_the_rate_rises_and_falls_with_steps(learner, monkeypatch):
    steps = {}
    monkeypatch.setattr(Learner, "global_step", property(lambda self: steps["now"]))

    def rate(step):
        steps["now"] = step
        return learner.rate

    assert rate(0) == pytest.approx(0.2)
    assert rate(3) == pytest.approx(0.8 * 0.5 * (1 + math.cos(math.pi * 3 / 40)))
    assert rate(20) == pytest.approx(0.5)
    assert rate(40) == 0.0


def test_time_ends_the_schedule_when_it_is_short(learner, monkeypatch):
    learner.config.max_seconds = 8.0
    monkeypatch.setattr(Learner, "global_step", 10)
    monkeypatch.setattr(Learner, "seconds", 4.0)
    assert learner.progress == 0.5
    monkeypatch.setattr(Learner, "seconds", 1.0)
    assert learner.progress == 0.25
    monkeypatch.setattr(Learner, "seconds", 9.0)
    assert learner.progress == 1.0


def test_the_plateau_halves_the_rate_after_patience():
    assert plateau([], 2) == 1.0
    assert plateau([3, 2, 1], 2) == 1.0
    assert plateau([3, 2, 2], 2) == 1.0
    assert plateau([3, 2, 2, 2.5], 2) == 0.5
    assert plateau([3, 2, 2, 2.5, 2.5, 2.5], 2) == 0.25
    assert plateau([3, 2, 2, 2.5, 1, 1.5], 2) == 0.5


def test_the_average_forgets_its_first_weights_and_then_decays():
    model = torch.nn.Linear(1, 1, bias=False)
    average = AveragedModel(model, multi_avg_fn=running_average(0.5))
    weights, expected = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 1.0
    for step, weight in enumerate(weights):
        torch.nn.init.constant_(model.weight, weight)
        average.update_parameters(model)
        decay = min(0.5, (1 + step) / (10 + step)) if step else 0.0
        expected = decay * expected + (1 - decay) * weight
    assert average.module.weight.item() == pytest.approx(expected)


def test_the_average_takes_no_gradient(learner):
    assert not any(parameter.requires_grad for parameter in learner.average.parameters())


def test_a_mean_of_tensors():
    mean = Mean()
    mean.add(torch.tensor([1.0, 2.0]))
    mean.add(torch.tensor([6.0]))
    assert mean.take() == 3.0
    assert math.isnan(mean.take())


def test_training_has_stalled_after_epochs_without_a_better_error(learner):
    def stalls(errors, patience):
        learner.config.early_stopping = patience
        learner.history = [{"validation_mae": error} for error in errors]
        return learner.has_stalled

    assert not stalls([], 2)
    assert not stalls([3.0, 2.0, 2.5], 2)
    assert stalls([3.0, 2.0, 2.5, 2.0], 2)
    assert not stalls([3.0, 2.0, 2.5, 1.9], 2)
    assert not stalls([3.0, 3.0, 3.0, 3.0], 0)
