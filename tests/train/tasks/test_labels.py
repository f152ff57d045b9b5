"""Tasks with classes: losses and measures by hand, and a task of points on a line."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from steerable.certify import Role
from steerable.data import named_labels
from steerable.groups import O3
from steerable.models import Claim
from steerable.train import ConfigError
from steerable.train.task import Outcome
from steerable.train.tasks.labels import (
    LabelData,
    LabelsFit,
    LabelTask,
    cross_entropy,
    entropy,
    label_error,
    majority,
)

LOGITS = torch.tensor([[0.0, 1.0, 3.0], [2.0, -1.0, 0.0], [0.5, 0.4, 0.0], [0.0, 9.0, 0.0]])
LABEL = torch.tensor([2, 1, 0, 1])


def logarithms():
    """The log of the softmax, by numpy in float64."""
    logits = LOGITS.double().numpy()
    return logits - np.log(np.exp(logits).sum(1, keepdims=True))


@pytest.mark.parametrize("smoothing", [0.0, 0.05, 0.5])
def test_smoothing_spreads_a_share_of_the_label_over_all_classes(smoothing):
    share = (1 - smoothing) * np.eye(3)[LABEL] + smoothing / 3
    wanted = -(share * logarithms()).sum(1).mean()
    assert LabelsFit(smoothing=smoothing).cross_entropy(LOGITS, LABEL).item() == pytest.approx(
        wanted, rel=1e-6
    )


def test_measures_by_hand():
    assert label_error(LOGITS, LABEL).tolist() == [0, 100, 0, 0]
    wanted = -logarithms()[range(4), LABEL]
    assert entropy(LOGITS, LABEL).tolist() == pytest.approx(wanted.tolist(), rel=1e-5, abs=1e-6)
    mean = cross_entropy(LOGITS.double(), LABEL)
    assert mean == {"value": pytest.approx(wanted.mean()), "unit": "nat"}
    most, right = majority(torch.tensor([0.2, 0.5, 0.3]), LABEL)
    assert most == 1 and right.tolist() == [False, True, False, True]


def test_smoothing_out_of_range():
    for smoothing in (-0.1, 1.0):
        with pytest.raises(ConfigError, match=r"fit.smoothing"):
            LabelsFit(smoothing=smoothing)


class Line:
    """Numbers on a line, whose class is their sign."""

    together, certified = 3, 2

    def __init__(self, x):
        self.x, self.label = x, (x > 0).long()

    def __len__(self):
        return len(self.x)

    def batch(self, index):
        return self.x[index], self.label[index]


class Sign(nn.Module):
    """Logits (0, steepness x)."""

    def __init__(self, steepness=2.0):
        super().__init__()
        self.steepness = nn.Parameter(torch.tensor(steepness))

    def forward(self, x):
        return torch.stack([0 * x, self.steepness * x], 1)


def task_of_signs():
    train, rest = Line(torch.arange(10) - 3.5), Line(torch.tensor([-3.0, 1, 2, -1, 5]))
    data = LabelData(train, rest, train.label.bincount() / 10, {"steepness": 2.0}, {"a": 1})
    return LabelTask(
        name="signs",
        items="numbers",
        config=object,
        build=Sign,
        read=lambda config, dataset: data,
        held_out=lambda config, dataset: rest,
        views=lambda items: {"plain": [items], "mirrored": [Line(-items.x), items]},
        score=lambda guesses: Outcome({"guesses": guesses}, {}, {}),
        claim=lambda model, inputs, metadata: Claim(model, [(inputs[0], Role())], Role(), O3()),
    ).task()


def test_a_task_from_its_parts():
    task, model = task_of_signs(), Sign()
    config = SimpleNamespace(fit=LabelsFit(batch_size=4, smoothing=0.0))
    problem = task.pose(config, None)
    assert problem.metadata == {
        "a": 1,
        "baselines": {"frequency": pytest.approx([0.4, 0.6])},
        "model": {"steepness": 2.0},
    }
    assert [len(x) for x, _ in problem.train] == [4, 4, 2] and problem.probe[0].shape == (1,)
    x, y = next(iter(problem.validation))
    loss = problem.loss({"class": model(x)}, named_labels(y, "class"))
    margins = [2 * v if v > 0 else -2 * v for v in x.tolist()]  # of the right class
    wanted = sum(math.log1p(math.exp(-margin)) for margin in margins) / len(margins)
    assert float(loss.detach()) == pytest.approx(wanted, rel=1e-5)

    rest = task.held_out(config, None)
    guesses = task.test(model, rest, problem.metadata).test["guesses"]
    assert list(guesses.logits) == ["plain", "mirrored"]
    both = torch.stack([model(-rest.x), model(rest.x)])
    torch.testing.assert_close(guesses.logits["mirrored"], both.double())
    torch.testing.assert_close(guesses.logits["plain"], both[1:].double())
    assert torch.equal(guesses.label, rest.label)
    assert guesses.frequency.tolist() == pytest.approx([0.4, 0.6])
    claim = task.claim(model, rest, problem.metadata)
    assert claim.inputs[0][0].tolist() == [-3, 1]  # as many as are certified
