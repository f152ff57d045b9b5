"""The task of motion, on a few systems of three charges and with networks that are small."""

import csv
import io
import json
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from contracts.sweeps import sweep
from steerable.data import named_labels
from steerable.data.particles import charged
from steerable.data.particles.nbody import PRESETS, Forecast, baselines
from steerable.data.splits import Split
from steerable.models import build_nbody
from steerable.train import ConfigError, Interrupted, evaluate, fit, load, load_config
from steerable.train.evaluate import certificates
from steerable.train.tasks import nbody
from steerable.train.tasks.nbody import NBodyConfig, NBodyData, NBodyFit, NBodyModel, settings

QUIET = Console(quiet=True)
SIZES = (30, 8, 10)


def forecast_of(position, velocity, charge, pair=None, mass=None):
    parts = np.split(np.arange(sum(SIZES)), np.cumsum(SIZES)[:2])

    def energy(position, velocity, systems):
        return charged.energy(position, velocity, charge[systems])

    return Forecast(position, velocity, charge, pair, mass, 30, 40, 1.0, Split(*parts), energy)


@pytest.fixture(scope="module")
def motion():
    return forecast_of(*charged.simulate(*SIZES, seed=0, particles=3))


@pytest.fixture
def config(tmp_path):
    data = NBodyData("charged", train=0, validation=0, test=0)
    fit = NBodyFit(epochs=3, batch_size=10, warmup_steps=2, lr=1e-2)
    return NBodyConfig(data, NBodyModel(steps=4, hidden=8), fit, str(tmp_path / "run"))


def log(run):
    """The log without its times."""
    with (Path(run) / "log.csv").open() as file:
        return [row[:1] + row[2:] for row in csv.reader(file)]


@pytest.mark.parametrize("forces", ["pairs", "gravitation", "messages"])
def test_a_run_leaves_its_files_and_is_evaluated_to_the_same_numbers(config, motion, forces):
    config.model = replace(config.model, forces=forces, steps=1)
    out = io.StringIO()
    run = fit(config, motion, console=Console(file=out))
    assert sorted(path.name for path in run.iterdir()) == [
        "config.yaml", "data.json", "last.ckpt", "log.csv", "metadata.json",
        "metrics.json", "model.safetensors", "predictions.csv", "split.csv",
    ]  # fmt: skip
    assert load_config(run / "config.yaml", NBodyConfig) == config
    assert "nbody/charged: 30 systems" in out.getvalue()
    assert (
        "MSE [length^2] train" in out.getvalue()
        and "velocity MSE [(length/time)^2]" in out.getvalue()
    )
    before = (run / "metrics.json").read_text()
    metrics = json.loads(before)
    assert metrics["test"]["systems"] == 10
    assert metrics["certificate"]["passed"], metrics["certificate"]
    assert list(metrics["baselines"]) == ["stay", "constant_velocity", "constant_acceleration"]
    assert ("masses" in metrics["test"]) is (forces == "gravitation")
    assert evaluate(run, motion) == metrics
    assert (run / "metrics.json").read_text() == before


def test_learning_beats_constant_velocity(config, motion):
    config.model = NBodyModel(steps=8, hidden=8, softening=0.3)
    config.fit = NBodyFit(epochs=30, batch_size=10, warmup_steps=2, lr=2e-2, ema_decay=0.9)
    metrics = json.loads((fit(config, motion, console=QUIET) / "metrics.json").read_text())
    assert (
        metrics["test"]["mse"]["value"]
        < 0.2 * metrics["baselines"]["constant_velocity"]["mse"]["value"]
    )


@pytest.mark.parametrize("step", sweep([1, 4], [4]))
def test_an_interrupted_run_resumes_to_the_same_end(config, motion, tmp_path, step):
    calls = 0

    def build(**arguments):
        def stop(*_):
            nonlocal calls
            calls += torch.is_grad_enabled()
            if calls == step and torch.is_grad_enabled():
                signal.raise_signal(signal.SIGINT)

        model = build_nbody(**arguments)
        model.register_forward_pre_hook(stop)
        return model

    expected = fit(config, motion, console=QUIET)
    stopped = replace(config, run=str(tmp_path / "stopped"))
    with pytest.raises(Interrupted, match=f"steerable train nbody --resume {stopped.run}"):
        fit(stopped, motion, build, console=QUIET)
    run = fit(stopped, motion, resume=True, console=QUIET)
    assert log(run) == log(expected)
    assert (run / "model.safetensors").read_bytes() == (expected / "model.safetensors").read_bytes()


def test_numbers_are_those_of_the_predictions(config, motion):
    class Free(torch.nn.Module):
        """Everything flies on, and particle 0 a little to the side."""

        forces = None

        def __init__(self):
            super().__init__()
            self.side = torch.nn.Parameter(torch.tensor(0.1, dtype=torch.float64))

        def forward(self, pos, velocity, *_):
            side = torch.zeros_like(pos)
            side[::3, 0] = self.side
            return torch.cat([velocity + side, velocity], 1)

    held = nbody.held_out(config, motion)
    metadata = nbody.pose(config, motion).metadata | {
        "measures": [["MSE", "u"], ["velocity MSE", "w"]]
    }
    with torch.no_grad():
        found = nbody.test(Free(), held, metadata)
    now, later = motion.position[38:, 30], motion.position[38:, 40]
    before, after = motion.velocity[38:, 30], motion.velocity[38:, 40]
    guess = now + before
    guess[:, 0, 0] += 0.1
    squares = (guess - later) ** 2
    assert found.test["systems"] == 10
    assert found.test["mse"] == {"value": pytest.approx(squares.mean()), "unit": "u"}
    assert found.test["median_mse"]["value"] == pytest.approx(np.sort(squares.mean((1, 2)))[4])
    assert found.test["velocity_mse"] == {
        "value": pytest.approx(((before - after) ** 2).mean()),
        "unit": "w",
    }
    known = baselines(motion)
    assert found.baselines["constant_velocity"]["mse"]["value"] == pytest.approx(
        known["constant velocity"]
    )
    assert len(found.tables["motion"].rows) == 90
    assert found.tables["motion"].rows[0] == pytest.approx(
        [(later - now)[0, 0, 0], (guess - now)[0, 0, 0]]
    )


@pytest.mark.parametrize("loss", ["mse", "log"])
def test_the_loss_by_hand(config, motion, loss):
    config.fit.loss, config.fit.velocity = loss, 0.5
    problem = nbody.pose(config, motion)
    *_, y = problem.train.items.batch(torch.tensor([3, 5]))
    prediction = y + torch.arange(36.0).view(6, 6) / 100
    x, v, x_after, v_after = (
        part[:30, frame] for frame in (30, 40) for part in (motion.position, motion.velocity)
    )
    wanted = 0.0
    for part, bent, weight in ((slice(3), x_after - x - v, 1.0), (slice(3, 6), v_after - v, 0.5)):
        error = ((prediction - y)[:, part] ** 2).mean(1).numpy() / (bent**2).mean()
        wanted += weight * (np.log1p(100 * error) if loss == "log" else error).mean()
    assert float(problem.loss({"motion": prediction}, named_labels(y, "motion"))) == pytest.approx(
        wanted, rel=1e-6
    )


def test_every_body_has_its_own_unit_and_its_number(config, motion):
    config.data.preset = "solar"
    slow = replace(motion, velocity=motion.velocity.copy(), mass=np.ones_like(motion.scalar))
    problem = nbody.pose(config, slow)
    _, _, attributes, _, _, y = problem.train.items.batch(torch.tensor([0, 1]))
    torch.testing.assert_close(attributes, torch.eye(3).repeat(2, 1))
    assert problem.arguments["attributes"] == 3
    errors = []
    for body in range(3):
        prediction = y.clone()
        prediction[body, 0] += 0.1
        errors.append(float(problem.loss({"motion": prediction}, named_labels(y, "motion"))))
    bent = slow.position[:30, 40] - slow.position[:30, 30] - slow.velocity[:30, 30]
    units = (bent**2).mean((0, 2))
    assert errors == pytest.approx(np.log1p(100 * (0.01 / 3) / units) / 6)


def test_what_is_known_of_pairs_stands_with_its_pair(config, motion):
    pair = np.random.default_rng(0).normal(size=(48, 3, 3))
    joined = replace(motion, pair=pair + pair.swapaxes(1, 2))
    pos, _, attributes, pairs, known, y = nbody.pose(config, joined).train.items.batch(
        torch.tensor([7, 2])
    )
    assert pairs.tolist() == [[0, 0, 1, 3, 3, 4], [1, 2, 2, 4, 5, 5]]
    wanted = [joined.pair[s][i, j] for s in (7, 2) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert known.flatten().tolist() == pytest.approx(wanted)
    assert attributes.flatten().tolist() == joined.scalar[[7, 2]].flatten().tolist()
    torch.testing.assert_close(
        pos[3:].double(), torch.from_numpy(joined.position[2, 30]), rtol=1e-6, atol=1e-6
    )
    later = torch.from_numpy(
        np.concatenate([joined.position[2, 40] - joined.position[2, 30], joined.velocity[2, 40]], 1)
    )
    torch.testing.assert_close(y[3:], later)


def test_the_parts_are_the_first_of_each(config, motion):
    config.data = NBodyData("charged", train=4, validation=3, test=2)
    problem, held = nbody.pose(config, motion), nbody.held_out(config, motion)
    found = [len(part) for part in (problem.train.items, problem.validation.items, held.systems)]
    assert found == [4, 3, 2]
    assert held.systems.pos[0].tolist() == motion.position[38, 30].tolist()
    assert held.baselines["stay"] == pytest.approx(
        ((motion.position[38:40, 40] - motion.position[38:40, 30]) ** 2).mean()
    )


@pytest.mark.parametrize(
    ("group", "translations", "name"),
    [("O(3)", "none", "O(3)"), ("O(2)", "plane", "Cinfv")],
)
def test_a_network_is_certified_with_the_symmetries_it_has(
    config, motion, group, translations, name
):
    config.model = NBodyModel("messages", steps=1, hidden=4, group=group, translations=translations)
    problem = nbody.pose(config, motion)
    assert problem.arguments["group"] == name
    held, metadata = nbody.held_out(config, motion), problem.metadata
    model = build_nbody(**problem.arguments)
    exact = certificates(nbody.claim(model, held, metadata))["prediction"].float64
    assert exact.passed and exact.group == name
    assert ("translation" in {check.symmetry for check in exact.checks}) is (translations != "none")

    class Silent(torch.nn.Module):
        """The same network, which does not say what its symmetry is."""

        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, *inputs):
            return self.model(*inputs)

    asked = nbody.claim(Silent(), held, metadata)
    assert certificates(asked)["prediction"].float64 == exact
    metadata["model"] |= {"group": "O(3)", "translations": "all"}
    asked = nbody.claim(Silent(), held, metadata)
    assert not certificates(asked)["prediction"].float64.passed


def test_without_a_number_of_steps_it_is_that_of_the_forces(config, motion):
    for forces, steps in (("pairs", 200), ("gravitation", 200), ("messages", 8)):
        config.model = NBodyModel(forces)
        assert nbody.pose(config, motion).arguments["steps"] == steps


def test_double_precision(config, motion):
    config.fit.precision, config.fit.epochs = 64, 1
    model, _ = load(fit(config, motion, console=QUIET))
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float64}


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_has_settings(preset):
    config = settings(preset)
    assert config.data.preset == preset
    assert config.model.forces == {
        "charged": "pairs",
        "gravity": "pairs",
        "solar": "gravitation",
    }.get(preset, "messages")


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (
            NBodyData,
            {"preset": "charge"},
            "data.preset is one of charged, gravity, springs-0, .*; got 'charge'",
        ),
        (NBodyData, {"train": -1}, "data.train is a finite number 0 or more; got -1"),
        (
            NBodyModel,
            {"forces": "waves"},
            "model.forces is one of pairs, gravitation, messages; got 'waves'",
        ),
        (NBodyModel, {"steps": -1}, "model.steps is a finite number 0 or more; got -1"),
        (NBodyModel, {"softening": 0.0}, "model.softening is a finite number above 0; got 0.0"),
        (NBodyFit, {"loss": "l1"}, "fit.loss is one of mse, log; got 'l1'"),
        (NBodyFit, {"velocity": -1.0}, "fit.velocity is a finite number 0 or more; got -1.0"),
    ],
)
def test_settings_out_of_range_are_refused(kind, options, message):
    with pytest.raises(ConfigError, match=message):
        kind(**options)


def test_more_systems_than_there_are_is_refused(config, motion):
    config.data.train = 31
    with pytest.raises(
        ConfigError, match="31 systems are asked for where there are 30: ask for at most that, or 0"
    ):
        nbody.pose(config, motion)


def test_an_unknown_preset_has_no_settings():
    with pytest.raises(ConfigError, match="data.preset is one of charged, gravity"):
        settings("charge")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.nan, "System 4 has a position or velocity that is no number"),
        (None, "System 4 has two particles in one place"),
    ],
)
def test_systems_without_an_answer_are_refused(config, motion, value, message):
    position = motion.position.copy()
    position[4, 30, 1] = position[4, 30, 0] if value is None else value
    with pytest.raises(ValueError, match=message):
        nbody.pose(config, replace(motion, position=position))
