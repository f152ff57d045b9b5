"""What a task gives is what training needs of it: on small data and untrained networks."""

import pytest
import torch

from steerable.data import named_labels
from steerable.models import named_outputs
from steerable.train import TASKS
from steerable.train.tasks.digits import DigitsConfig, DigitsData, DigitsModel
from steerable.train.tasks.sphere import SphereConfig, SphereData, SphereModel


def digits(folder):
    model = DigitsModel(
        group="C4", kernel="kernel", widths=[4], stops=[], size=3, order=2, hidden=4, dropout=0
    )
    return DigitsConfig(DigitsData(train=20, validation=10, test=12), model, run=folder)


def sphere(folder):
    model = SphereModel(rings=8, degrees=[5, 3], widths=[2], knots=2, hidden=4, dropout=0)
    return SphereConfig(SphereData(train=20, validation=10, test=12), model, run=folder)


@pytest.mark.parametrize(("name", "config"), [("digits", digits), ("sphere", sphere)])
def test_a_problem_has_a_network_a_loss_measures_and_a_test(name, config, tmp_path):
    task, settings = TASKS[name], config(str(tmp_path))
    problem = task.pose(settings, None)
    model = task.build(**problem.arguments).eval()
    assert problem.metadata["model"] == problem.arguments
    with torch.no_grad():
        assert list(named_outputs(model(*problem.probe))) != []
    *inputs, y = next(iter(problem.validation))
    outputs = named_outputs(model(*inputs), problem.output)
    loss = problem.loss(outputs, named_labels(y, problem.output))
    loss.backward()
    assert loss.isfinite() and all(p.grad is not None for p in model.parameters())

    rest = task.held_out(settings, None)
    outcome = task.test(model, rest, problem.metadata)
    assert outcome.test["pictures"] == 12 and outcome.baselines
    for table in outcome.tables.values():
        assert len(table.rows) == 12 and len(table.classes) == 10
        assert all(len(row) == len(table.header) for row in table.rows)
    claim = task.claim(model, rest, problem.metadata)
    assert claim.group.order and claim.inputs
