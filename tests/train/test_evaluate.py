import csv
import json

import numpy as np
import pytest
import torch
from rich.console import Console
from torch import nn

from steerable.certify import Role
from steerable.data import composition
from steerable.groups import O3
from steerable.models import Claim
from steerable.train import evaluate, fit, load
from steerable.train.evaluate import certificates
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
        "train_seconds", "versions", "worst", "figures",
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
    assert header == ["index", "formula", "true [eV]", "predicted [eV]", "composition [eV]"]
    true, predicted, composed = np.array([row[2:] for row in rows], dtype=float).T
    composition = found["baselines"]["composition"]["mae"]["value"]
    assert np.abs(true - composed).mean() == pytest.approx(composition)
    assert np.abs(true - predicted).mean() == pytest.approx(found["test"]["mae"]["value"])


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


def test_a_network_that_says_nothing_of_its_symmetry_is_certified_as_a_whole(
    config, molecules, build
):
    class Silent(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = build([1, 6, 8], reference=[10.0] * 3)

        def forward(self, *inputs):
            return self.model(*inputs)

    model = Silent()
    asked = claim(model, held_out(config, molecules), {"model": {"group": "SO(3)"}})
    assert asked.function is model
    pair = certificates(asked)["prediction"]
    assert pair.float64.passed
    assert pair.float64.group == "SO(3)"
    assert (pair.float64.dtype, pair.float32.dtype) == ("float64", "float32")


def test_claims_are_measured_where_the_network_is(monkeypatch):
    moved, devices = [], []

    class Remote(nn.Module):
        def to(self, *arguments, **settings):
            moved.append((arguments, settings))
            return super().to(*arguments, **settings)

        def forward(self, pos):
            return pos.square().sum(-1)

    monkeypatch.setitem(certificates.__globals__, "placement", lambda model: ("meta", None))
    asked = Claim(Remote(), [(torch.ones(2, 3), Role())], Role(), O3())
    monkeypatch.setitem(
        certificates.__globals__,
        "certify",
        lambda function, inputs, *_, **__: devices.append(inputs[0][0].device.type),
    )
    certificates(asked)
    assert moved == [(("meta",), {})]
    assert devices == ["meta", "meta"]
