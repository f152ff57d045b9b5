"""Rollouts: from prediction to prediction, beside the truth, and what is left when they diverge."""

import runpy
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from steerable.data.particles import charged
from steerable.data.particles.conserved import angular_momentum, momentum
from steerable.data.particles.nbody import Forecast
from steerable.data.splits import Split
from steerable.train import ConfigError, fit, load, rollout
from steerable.train.tasks import nbody
from steerable.train.tasks.nbody import NBodyConfig, NBodyData, NBodyFit, NBodyModel
from steerable.train.tasks.rollout import RolloutDivergedError


@pytest.fixture(scope="module")
def motion():
    """Eight systems of three charges, of which the last four are the test."""
    position, velocity, charge = charged.simulate(2, 2, 4, seed=3, particles=3)

    def energy(position, velocity, systems):
        return charged.energy(position, velocity, charge[systems])

    parts = Split(np.arange(2), np.arange(2, 4), np.arange(4, 8))
    return Forecast(position, velocity, charge, None, None, 30, 40, 1.0, parts, energy)


@pytest.fixture(scope="module")
def run(motion, tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("runs") / "run")
    fitting = NBodyFit(epochs=1, batch_size=2)
    config = NBodyConfig(
        NBodyData("charged", 0, 0, 0), NBodyModel(steps=20, hidden=4), fitting, folder
    )
    return fit(config, motion, console=Console(quiet=True))


def read(path):
    with np.load(path) as archive:
        return dict(archive)


def test_each_step_begins_where_the_one_before_ended(run, motion):
    found = read(rollout(run, 3, system=1, dataset=motion))
    assert found["time"] == pytest.approx(np.arange(31) / 10)
    assert found["position"].shape == found["velocity"].shape == (31, 3, 3)
    model, _ = load(run)
    x, v = (torch.from_numpy(part[5, 18]) for part in (motion.position, motion.velocity))
    charge = torch.from_numpy(motion.scalar[5])[:, None].float()
    with torch.no_grad():
        for k in range(1, 4):
            displacement, v = model(x.float(), v.float(), charge).double().chunk(2, -1)
            x = x + displacement
            np.testing.assert_allclose(found["position"][10 * k], x, atol=1e-6)
            np.testing.assert_allclose(found["velocity"][10 * k], v, atol=1e-6)


def test_the_truth_stands_beside_it(run, motion):
    found = read(rollout(run, 1, system=2, dataset=motion))
    np.testing.assert_array_equal(found["true_position"], motion.position[6, 30:41])
    np.testing.assert_array_equal(found["true_velocity"], motion.velocity[6, 30:41])
    np.testing.assert_array_equal(found["position"][0], found["true_position"][0])
    assert found["true_time"] == pytest.approx(np.arange(11) / 10)
    assert str(found["title"]) == "charged, test system 2"


def test_what_is_conserved_is_measured(run, motion):
    found = read(rollout(run, 2, dataset=motion))
    x, v = found["position"][None], found["velocity"][None]
    np.testing.assert_allclose(found["energy"], motion.energy(x, v, np.array([4]))[0])
    np.testing.assert_allclose(found["momentum"], momentum(v)[0])
    np.testing.assert_allclose(found["angular_momentum"], angular_momentum(x, v)[0])
    start = motion.velocity[4, 28]
    sizes = (start**2).sum() / 2, np.linalg.norm(start, axis=1).sum()
    assert found["scale"][:2] == pytest.approx(sizes)
    angular = np.linalg.norm(np.cross(motion.position[4, 28], start), axis=1).sum()
    assert found["scale"][2] == pytest.approx(angular)
    assert np.ptp(found["momentum"], axis=0).max() < 1e-12
    assert {f"true_{name}" for name in ("time", "energy", "momentum", "angular_momentum")} <= set(
        found
    )


def test_longer_than_the_truth(run, motion):
    found = read(rollout(run, 8, dataset=motion))
    assert len(found["time"]) == 81
    assert len(found["true_time"]) == 49


def test_bodies_are_followed_from_window_to_window(run, motion, monkeypatch, tmp_path):
    # Without a record of its data, as an earlier version left it, a run takes other motion.
    run = Path(shutil.copytree(run, tmp_path / "run"))
    (run / "data.json").unlink()
    monkeypatch.setattr(nbody, "BODIES", ("charged",))
    monkeypatch.setitem(
        nbody.lead_on.__globals__,
        "gather",
        lambda task, chosen, bodies: nbody.gather(task, chosen, False),
    )
    windows = replace(
        motion, given=2, asked=3, position=motion.position[:, :4], velocity=motion.velocity[:, :4]
    )
    found = read(rollout(run, 2, dataset=windows))
    np.testing.assert_array_equal(found["true_position"], motion.position[4:7, 2])
    assert found["true_time"].tolist() == [0, 1, 2]
    assert len(found["time"]) == 21


def test_a_rollout_that_diverges_keeps_what_came_before(run, motion, monkeypatch):
    class Runaway(torch.nn.Module):
        """Velocities grow a hundred times in each step."""

        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(()))

        def path(self, pos, velocity, *_):
            return torch.cat([velocity, 100 * velocity], 1)[None]

    _, metadata = load(run)
    monkeypatch.setitem(rollout.__globals__, "load", lambda *_: (Runaway(), metadata))
    message = (
        "diverged in step 3: a particle is .* length away and at the start none was more than "
        ".*trajectory.npz has"
    )
    with pytest.raises(RolloutDivergedError, match=message):
        rollout(run, 9, dataset=motion)
    found = read(run / "rollout" / "trajectory.npz")
    assert found["time"].tolist() == [0, 1, 2]
    assert np.isfinite(found["position"]).all()


@pytest.mark.parametrize(("steps", "system"), [(0, 0), (1, 4), (1, -1)])
def test_no_step_and_no_such_system(run, motion, steps, system):
    with pytest.raises(ConfigError, match=f"a test system from 0 to 3; got {steps} and {system}"):
        rollout(run, steps, system, motion)


def test_the_example_runs(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(sys, "argv", ["nbody.py", "--small", "--run", str(tmp_path / "run")])
    runpy.run_path(str(Path(__file__).parents[3] / "examples" / "nbody.py"))
    assert "equivariance error" in capsys.readouterr().out
    assert (tmp_path / "run" / "rollout" / "motion.gif").is_file()
