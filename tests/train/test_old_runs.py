"""Runs that commit 50132c0 trained, of every task, are still read and predict the same numbers."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from steerable.models import EARLIER
from steerable.train import TASKS, load, load_config
from steerable.train.options import dump_config
from steerable.train.tasks.qm9 import FitConfig, ModelConfig, QM9Config

RUNS = sorted(path.parent for path in (Path(__file__).parents[1] / "runs").glob("*/metadata.json"))
RESUMABLE = [run for run in RUNS if (run / "last.ckpt").exists()]


@pytest.fixture(scope="module", params=RUNS, ids=lambda run: run.name)
def run(request):
    return request.param


@pytest.fixture(scope="module")
def network(run):
    return load(run)[0]


@pytest.fixture(scope="module")
def weights(run):
    return load_file(run / "model.safetensors")


@pytest.fixture(scope="module")
def expected(run):
    with np.load(run / "expected.npz") as archive:
        return dict(archive)


YOUNGER = {"property"}  # tasks that the commit did not have


def test_every_task_has_an_old_run():
    assert {run.name.split("-")[0] for run in RUNS} == set(TASKS) - YOUNGER


def test_the_weights_are_those_of_the_file(weights, network):
    state = network.state_dict()
    # Later versions also write what the weights mean, which these files do not hold.
    assert {name for name in state if not name.endswith("_extra_state")} == set(weights)
    for name, weight in weights.items():  # a network in float32 may round what is stored in float64
        assert torch.equal(state[name], weight.to(state[name].dtype)), name


def test_the_output_is_that_of_the_old_version(weights, network, expected):
    inputs = [torch.from_numpy(expected[f"input_{k}"]) for k in range(len(expected) - 2)]
    output = torch.from_numpy(expected["output"])
    exact = copy.deepcopy(network).double()
    exact.load_state_dict(weights)
    with torch.no_grad():
        prediction = exact(*inputs)
    assert prediction.dtype == torch.float64
    assert (prediction - output).abs().max() <= 1e-9 * output.abs().max()


def test_the_parameters_keep_their_order(network, expected):
    assert [name for name, _ in network.named_parameters()] == expected["parameters"].tolist()


@pytest.mark.parametrize("run", RESUMABLE, ids=lambda run: run.name)
def test_the_moments_fit_the_parameters(run):
    # The state of a run names a parameter's moments by its place among all parameters.
    (optimizer,) = torch.load(run / "last.ckpt", weights_only=True)["optimizer_states"]
    moments = [optimizer["state"][k]["exp_avg"].shape for k in range(len(optimizer["state"]))]
    assert moments == [parameter.shape for parameter in load(run)[0].parameters()]


MOLECULES = [run for run in RUNS if run.name.startswith("qm9")]


@pytest.mark.parametrize("run", MOLECULES, ids=lambda run: run.name)
def test_settings_of_old_runs_are_those_that_there_were(run, tmp_path):
    """Their files hold no settings that came later: these have the values of the old version."""
    config = load_config(run / "config.yaml", QM9Config)
    later = {name: getattr(config.model, name) for name in EARLIER}
    assert later == EARLIER and config.fit.optimizer == "adamw"
    again = tmp_path / "config.yaml"
    again.write_text(dump_config(config))
    assert load_config(again, QM9Config) == config


def test_files_with_some_settings_have_the_defaults_of_this_version(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("model:\n  layers: 4\nfit:\n  epochs: 3\n")
    wanted = QM9Config(model=ModelConfig(layers=4), fit=FitConfig(epochs=3))
    assert load_config(path, QM9Config) == wanted
