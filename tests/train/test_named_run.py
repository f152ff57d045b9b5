"""A run on energies and forces, some of them missing: everything goes by name."""

import csv
import io
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from rich.console import Console

from steerable import cli
from steerable.report import draw
from steerable.train import TASKS, ConfigError, TrainingConfig, evaluate, fit, load
from steerable.train.learner import Learner
from train import potential
from train.potential import PotentialConfig, Springs, Structures

QUIET = Console(quiet=True)


@pytest.fixture(autouse=True)
def task(monkeypatch):
    monkeypatch.setitem(TASKS, "potential", potential.TASK)


@pytest.fixture
def config(tmp_path):
    fitting = TrainingConfig(epochs=40, batch_size=10, lr=3e-2, warmup_steps=5, ema_decay=0.9)
    return PotentialConfig(fit=fitting, run=str(tmp_path / "run"))


def rows(path):
    with path.open() as file:
        return list(csv.reader(file))


def test_energies_and_forces_are_learned_where_they_are_known(config):
    out = io.StringIO()
    run = fit(config, build=Springs, console=Console(file=out, width=200))
    assert "loss: 0.1 energy [eV^2] + 1 forces [(eV/Angstrom)^2]" in out.getvalue()
    metrics = json.loads((run / "metrics.json").read_text())
    test, zero = metrics["test"], metrics["baselines"]["zero"]
    for key in ("energy_mae", "forces_mae", "forces_rmse"):
        assert test[key]["value"] < 0.3 * zero[key]["value"], key
        assert test[key]["unit"] == zero[key]["unit"]
    assert list(metrics["validation"]) == ["forces_mae", "energy_mae", "epoch"]
    log = np.array(rows(run / "log.csv")[1:], dtype=float)
    assert np.isfinite(log).all()
    assert log[-1, 3] < 0.3 * log[0, 3]


def test_predictions_figures_and_certificates_go_by_name(config, capsys, monkeypatch):
    config.fit.epochs = 1
    run = fit(config, build=Springs, console=QUIET)
    metrics = json.loads((run / "metrics.json").read_text())
    assert evaluate(run, build=Springs) == metrics
    forces, energies = rows(run / "predictions.csv"), rows(run / "predictions-energy.csv")
    assert (len(forces), len(energies)) == (1 + 20 * 9, 1 + 20)
    assert forces[0] == ["true [eV/Angstrom]", "predicted [eV/Angstrom]"]
    assert [path.name for path in draw(run)] == ["loss.png", "parity.png", "parity-energy.png"]
    certificate = metrics["certificate"]
    assert certificate["passed"]
    assert list(certificate["outputs"]) == ["energy", "forces"]
    worst = max(part["equivariance_float32"] for part in certificate["outputs"].values())
    assert certificate["equivariance_float32"] == worst
    monkeypatch.setitem(load.__globals__, "builder", lambda metadata: Springs)
    assert cli.main(["certify", str(run)]) == 0
    out = capsys.readouterr().out
    assert out.index("energy:\nequivariant under O(3)") < out.index("forces:\nequivariant under")


def test_what_is_missing_does_not_change_the_rest(config):
    # A batch of structures with gaps has the loss of those without, taken by hand.
    torch.manual_seed(0)
    model, problem = Springs(), potential.pose(config)
    learner = Learner(model, config.fit, problem)
    structures = Structures(6, 0, missing=False)
    pos, batch, _ = structures.batch(torch.arange(6))
    whole, gaps = model(pos, batch), Structures(6, 0)
    wanted = 0.1 * (whole["energy"] - structures.energy)[[0, 2, 3, 4, 5]].square().mean()
    errors = (whole["forces"] - structures.forces.flatten(0, 1)).view(6, 3, 3)[1::2]
    wanted = wanted + errors.square().mean()
    found = learner.training_step(gaps.batch(torch.arange(6)))
    torch.testing.assert_close(found, wanted)
    found.backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_names_are_read_before_a_batch_leaves_the_cpu(config):
    learner = Learner(Springs(), config.fit, potential.pose(config))
    *inputs, labels = learner.on_before_batch_transfer(Structures(6, 0).batch(torch.arange(6)), 0)
    assert [len(x) for x in inputs] == [18, 18]
    assert labels["energy"].rows.tolist() == [0, 2, 3, 4, 5]


def without(name):
    """The task with a validation that has no label of this name."""

    def pose(config, dataset):
        problem = potential.pose(config)
        getattr(problem.validation.items, name).fill_(torch.nan)
        return problem

    return replace(potential.TASK, pose=pose)


def test_a_label_that_nothing_has_is_not_measured(config, monkeypatch):
    config.fit.epochs = 2
    monkeypatch.setitem(TASKS, "potential", without("energy"))
    run = fit(config, build=Springs, console=QUIET)
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["validation"]["energy_mae"] == {"value": None, "unit": "eV"}
    assert math.isnan(float(rows(run / "log.csv")[1][5]))


def test_the_label_that_chooses_the_weights_is_needed(config, monkeypatch):
    monkeypatch.setitem(TASKS, "potential", without("forces"))
    with pytest.raises(ConfigError, match="No item of the validation has the label 'forces'"):
        fit(config, build=Springs, console=QUIET)


def test_a_network_that_lacks_an_output_is_refused(config):
    class Energies(Springs):
        def forward(self, pos, batch=None):
            return {"energy": super().forward(pos, batch)["energy"]}

    with pytest.raises(ConfigError, match="need the output 'forces', and the network returns ene"):
        fit(config, build=Energies, console=QUIET)


def test_the_stamp_of_a_checkpoint_has_names(config):
    config.fit.epochs = 1
    run = fit(config, build=Springs, console=QUIET)

    class Turned(Springs):
        def forward(self, pos, batch=None):
            outputs = super().forward(pos, batch)
            return outputs | {"forces": -outputs["forces"]}

    assert load(run, Springs)[0].training is False
    with pytest.raises(ValueError, match="checkpoint of other conventions"):
        load(run, Turned)
