import csv
import json

import numpy as np
import pytest
import torch
from rich.console import Console

from steerable.data import composition
from steerable.train import evaluate, fit, load
from steerable.train.evaluate import certificates
from steerable.train.measures import errors
from steerable.train.tasks.qm9 import claim, held_out


@pytest.fixture
def run(config, molecules, build):
    return fit(config, molecules, build, console=Console(quiet=True))


def test_metrics_have_the_schema_of_every_run(run, config, molecules, build):
    found = evaluate(run, molecules, build)
    assert json.loads((run / "metrics.json").read_text()) == found
    assert list(found) == [
        "format", "task", "status", "test", "baselines",
        "validation", "certificate", "parameters", "epochs",
        "train_seconds", "versions", "figures",
    ]  # fmt: skip
    assert found["status"] == "finished"
    assert found["test"]["molecules"] == 12
    assert found["test"]["mae"]["unit"] == found["baselines"]["mean"]["rmse"]["unit"] == "eV"
    assert found["parameters"] == sum(
        parameter.numel() for parameter in load(run, build)[0].parameters()
    )
    assert found["certificate"]["passed"]
    assert found["certificate"]["equivariance_float64"] < 1e-12
    assert found["certificate"]["elements"] == 20


def test_baselines_are_those_of_the_training_molecules(run, config, molecules, build):
    found, test = evaluate(run, molecules, build), held_out(config, molecules)
    statistics = load(run, build)[1]["statistics"]
    counts = composition(test.numbers(), statistics["elements"])
    least_squares = np.abs(counts @ np.array(statistics["reference"]) - test.y.numpy()).mean()
    assert found["baselines"]["composition"]["mae"]["value"] == pytest.approx(least_squares)
    assert found["baselines"]["mean"]["mae"]["value"] > least_squares


def test_predictions_are_written(run, molecules, build):
    found = evaluate(run, molecules, build)
    with (run / "predictions.csv").open() as file:
        header, *rows = csv.reader(file)
    true, predicted = np.array(rows, dtype=float).T
    assert header == ["true [eV]", "predicted [eV]"]
    assert np.abs(true - predicted).mean() == pytest.approx(found["test"]["mae"]["value"])


def test_errors_have_units():
    found = errors(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 5.0, 7.0]), "D")
    assert found["mae"] == {"value": pytest.approx(7 / 3), "unit": "D"}
    assert found["rmse"] == {"value": pytest.approx((25 / 3) ** 0.5), "unit": "D"}


def test_references_do_not_hide_an_error(config, molecules, build):
    class Slightly(build):
        def forward(self, z, pos, batch=None, edge_index=None):
            return super().forward(z, pos, batch, edge_index) + 1e-4 * pos[:, 0].mean()

    model = Slightly([1, 6, 8], reference=[1e6] * 3)
    asked = claim(model, held_out(config, molecules), {"model": {}})
    assert not certificates(asked)["prediction"].float64.passed


def test_a_network_that_is_not_invariant_gets_no_certificate(config, molecules, build):
    class Broken(build):
        def forward(self, z, pos, batch=None, edge_index=None):
            return super().forward(z, pos, batch, edge_index) + pos[:, 0].mean()

    asked = claim(Broken([1, 6, 8]), held_out(config, molecules), {"model": {}})
    exact, usual = certificates(asked)["prediction"]
    assert not exact.passed
    assert not usual.passed
