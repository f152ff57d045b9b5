import io
import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file

from contracts.sweeps import sweep
from steerable.train import (
    ConfigError,
    DivergedError,
    Interrupted,
    QM9Config,
    RunFolderError,
    fit,
    load,
    load_config,
)
from steerable.train.learner import Learner

QUIET = Console(quiet=True)
FILES = [
    "config.yaml",
    "data.json",
    "last.ckpt",
    "log.csv",
    "metadata.json",
    "metrics.json",
    "model.safetensors",
    "predictions.csv",
    "split.csv",
    "worst.xyz",
]


def interrupting(build, step):
    """A network that gets a Ctrl-C in the given step of training."""

    class Interrupting(build):
        calls = 0

        def forward(self, *arguments):
            if torch.is_grad_enabled():
                Interrupting.calls += 1
                if Interrupting.calls == step:
                    signal.raise_signal(signal.SIGINT)
            return super().forward(*arguments)

    return Interrupting


def errors(run):
    """Errors and learning rates of the log."""
    return [row.split(",")[2:] for row in (Path(run) / "log.csv").read_text().splitlines()[1:]]


def test_a_run_learns_and_leaves_its_files(config, molecules, build):
    config.fit.epochs = 30
    out = io.StringIO()
    run = fit(config, molecules, build, console=Console(file=out))
    assert sorted(path.name for path in run.iterdir()) == FILES
    assert load_config(run / "config.yaml", QM9Config) == config
    maes = [float(row[1]) for row in errors(run)]
    assert len(maes) == 30
    assert min(maes) < 0.8 * maes[0]
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["validation"]["mae"]["value"] == pytest.approx(min(maes), rel=1e-5)
    assert "MAE [eV] train" in out.getvalue()


def test_the_saved_weights_are_the_best_average(config, molecules, build):
    run = fit(config, molecules, build, console=QUIET)
    state = torch.load(run / "last.ckpt", weights_only=True)["state_dict"]
    saved, best = (
        load_file(run / "model.safetensors"),
        min(range(3), key=lambda k: float(errors(run)[k][1])),
    )
    assert best == 2
    assert all(torch.equal(state[f"average.module.{name}"], saved[name]) for name in saved)
    assert not torch.equal(state["model.embed.weight"], saved["embed.weight"])


def test_two_equal_runs_are_equal(config, molecules, build, tmp_path):
    first = fit(config, molecules, build, console=QUIET)
    second = fit(replace(config, run=str(tmp_path / "again")), molecules, build, console=QUIET)
    assert (first / "model.safetensors").read_bytes() == (second / "model.safetensors").read_bytes()


def test_training_leaves_the_settings_of_the_process_alone(config, molecules, build):
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    config.fit.threads, config.fit.deterministic = threads + 1, True
    fit(config, molecules, build, console=QUIET)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("step", sweep([1, 4, 5, 6, 13], [1, 6]))
def test_an_interrupted_run_resumes_to_the_same_end(config, molecules, build, tmp_path, step):
    expected = fit(config, molecules, build, console=QUIET)
    stopped = replace(config, run=str(tmp_path / "stopped"))
    with pytest.raises(Interrupted, match=f"--resume {stopped.run}"):
        fit(stopped, molecules, interrupting(build, step), console=QUIET)
    metrics = json.loads((Path(stopped.run) / "metrics.json").read_text())
    assert (metrics["status"], metrics["test"]) == ("interrupted", None)
    load(stopped.run, build)
    run = fit(stopped, molecules, build, resume=True, console=QUIET)
    assert errors(run) == errors(expected)
    assert (run / "model.safetensors").read_bytes() == (expected / "model.safetensors").read_bytes()


def test_a_finished_run_is_lengthened(config, molecules, build):
    fit(config, molecules, build, console=QUIET)
    config.fit.epochs = 5
    run = fit(config, molecules, build, resume=True, console=QUIET)
    assert len(errors(run)) == 5
    assert load_config(run / "config.yaml", QM9Config).fit.epochs == 5


def test_time_ends_a_run_in_the_middle_of_an_epoch(config, molecules, build, monkeypatch):
    monkeypatch.setattr(Learner, "seconds", property(lambda learner: float(learner.global_step)))
    config.fit.epochs, config.fit.max_seconds = 10**6, 7
    run = fit(config, molecules, build, console=QUIET)
    metrics = json.loads((run / "metrics.json").read_text())
    assert (metrics["status"], metrics["train_seconds"], metrics["epochs"]) == ("finished", 7, 2)
    config.fit.max_seconds = 10
    fit(config, molecules, build, resume=True, console=QUIET)
    assert json.loads((run / "metrics.json").read_text())["train_seconds"] == 10


@pytest.mark.parametrize(
    "settings", [{"schedule": "plateau", "patience": 1}, {"precision": 64}, {"loss": "huber"}]
)
def test_other_ways_to_train(config, molecules, build, settings):
    config.fit = replace(config.fit, **settings)
    model, metadata = load(fit(config, molecules, build, console=QUIET), build)
    assert metadata["dtype"] == f"float{config.fit.precision}"
    assert next(model.parameters()).dtype == getattr(torch, metadata["dtype"])


def test_a_used_folder_is_left_alone(config, molecules, build):
    run = Path(config.run)
    run.mkdir()
    (run / "precious").write_text("data")
    with pytest.raises(
        RunFolderError, match=f"exists and is not an empty folder. Resume it with --resume {run}"
    ):
        fit(config, molecules, build, console=QUIET)
    assert [path.name for path in run.iterdir()] == ["precious"]


def test_of_two_runs_that_start_at_once_the_second_stops(config, molecules, build):
    settings = Path(config.run, "config.yaml")

    def late(**arguments):
        settings.write_text("of the other run")
        return build(**arguments)

    with pytest.raises(RunFolderError, match=f"Another run has just begun in {config.run}"):
        fit(config, molecules, late, console=QUIET)
    assert settings.read_text() == "of the other run" and [settings] == list(
        Path(config.run).iterdir()
    )


def test_a_folder_that_cannot_be_written_is_refused(config, molecules, build, tmp_path):
    (tmp_path / "file").write_text("")
    for run in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(RunFolderError):
            fit(replace(config, run=str(run)), molecules, build, console=QUIET)


@pytest.mark.parametrize(
    ("section", "name", "value"), [("data", "target", "nothing"), ("model", "hidden", "3x")]
)
def test_nothing_is_left_of_settings_that_make_no_sense(config, molecules, section, name, value):
    setattr(config, section, replace(getattr(config, section), **{name: value}))
    with pytest.raises(ValueError, match=value):
        fit(config, molecules, console=QUIET)
    assert list(Path(config.run).iterdir()) == []


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_cuda_is_refused_where_there_is_none(config, molecules, build):
    config.fit.accelerator = "cuda"
    with pytest.raises(ConfigError, match="finds no CUDA device"):
        fit(config, molecules, build, console=QUIET)


def test_what_cannot_be_resumed_is_refused(config, molecules, build):
    def resume(**changes):
        fit(replace(config, **changes), molecules, build, resume=True, console=QUIET)

    with pytest.raises(RunFolderError, match="There is no run folder"):
        resume()
    Path(config.run).mkdir()
    with pytest.raises(RunFolderError, match=r"has no config.yaml and no last.ckpt to resume from"):
        resume()
    run = fit(config, molecules, build, console=QUIET)
    with pytest.raises(ConfigError, match="keeps its settings of data"):
        resume(data=replace(config.data, train=30))
    with pytest.raises(ConfigError, match="keeps its settings of model"):
        resume(model=replace(config.model, layers=2))
    (run / "last.ckpt").write_bytes((run / "last.ckpt").read_bytes()[:100])
    with pytest.raises(RunFolderError, match="last.ckpt cannot be read"):
        resume()


def test_a_run_that_diverges_keeps_what_it_had(config, molecules, build):
    class Diverging(build):
        calls = 0

        def forward(self, *arguments):
            Diverging.calls += torch.is_grad_enabled()
            return super().forward(*arguments) * (float("nan") if Diverging.calls > 7 else 1)

    with pytest.raises(DivergedError, match="Training diverged in epoch 2.*Lower fit.lr"):
        fit(config, molecules, Diverging, console=QUIET)
    load(config.run, build)
    assert len(errors(config.run)) == 1


@pytest.mark.parametrize("cuda", [False, True])
def test_the_test_runs_where_training_ran(config, molecules, build, monkeypatch, cuda):
    devices = []
    monkeypatch.setitem(fit.__globals__, "_uses_cuda", lambda config: cuda)
    monkeypatch.setitem(fit.__globals__, "_train", lambda learner, recorder, state: None)
    monkeypatch.setitem(
        fit.__globals__, "evaluate", lambda run, dataset, build, device: devices.append(device)
    )
    fit(config, molecules, build, console=QUIET)
    assert devices == ["cuda" if cuda else "cpu"]


def test_where_a_run_was_trained_is_written_down(config, molecules, build):
    config.fit.accelerator = "cpu"
    _, metadata = load(fit(config, molecules, build, console=QUIET), build)
    assert metadata["device"] == "cpu"
