"""The task of shapes, on solids and with a network that is small."""

import csv
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
from steerable.data import Shapes, read_shapes
from steerable.train import ConfigError, Interrupted, ShapesConfig, evaluate, fit, load, load_config
from steerable.train.evaluate import certificates
from steerable.train.tasks import shapes
from steerable.train.tasks.shapes import ShapesData, ShapesFit, ShapesModel
from train.cloud_net import CloudNet

QUIET = Console(quiet=True)


@pytest.fixture(scope="module")
def solids():
    """Twelve clouds of each of three kinds for training and eight for the test."""
    whole = read_shapes()
    kinds = [whole.classes.index(name) for name in ("cone", "cross", "torus")]
    rows = torch.cat([torch.nonzero(whole.label == kind).flatten()[70:90] for kind in kinds])
    label = torch.arange(3).repeat_interleave(20)
    return Shapes(whole.points[rows, :200], label, whole.is_test[rows], ("cone", "cross", "torus"))


@pytest.fixture
def config(tmp_path):
    data = ShapesData(points=64, validation=0.2, train_rotation="z", test_rotation="so3", votes=3)
    fit = ShapesFit(epochs=3, batch_size=8, warmup_steps=2, lr=1e-2)
    return ShapesConfig(data, ShapesModel(group="SO(2)"), fit, str(tmp_path / "run"))


def log(run):
    """The log without its times."""
    with (Path(run) / "log.csv").open() as file:
        return [row[:1] + row[2:] for row in csv.reader(file)]


def test_a_run_learns_and_leaves_its_files(config, solids):
    config.fit.epochs, config.model = 40, replace(config.model, group="O(3)")
    out = io.StringIO()
    run = fit(config, solids, CloudNet, console=Console(file=out))
    assert sorted(path.name for path in run.iterdir()) == [
        "config.yaml", "data.json", "last.ckpt", "log.csv", "metadata.json",
        "metrics.json", "model.safetensors", "predictions.csv", "split.csv",
    ]  # fmt: skip
    assert load_config(run / "config.yaml", ShapesConfig) == config
    assert "cross entropy [nat] train" in out.getvalue() and "error [%] train" in out.getvalue()
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["task"] == "shapes/solids"
    assert metrics["test"]["clouds"] == 30
    assert metrics["test"]["accuracy"]["value"] > 60
    assert metrics["baselines"]["majority"]["accuracy"]["value"] == pytest.approx(100 / 3)
    assert (
        metrics["test"]["cross_entropy"]["value"]
        < metrics["baselines"]["majority"]["cross_entropy"]["value"]
    )
    assert metrics["certificate"]["passed"]
    assert metrics["certificate"]["group"] == "O(3)"
    assert list(metrics["validation"]) == ["cross_entropy", "error", "epoch"]


@pytest.mark.parametrize("step", sweep([1, 3, 4, 8], [3]))
def test_an_interrupted_run_resumes_to_the_same_end(config, solids, tmp_path, step):
    class Interrupting(CloudNet):
        calls = 0

        def forward(self, *arguments):
            if torch.is_grad_enabled():
                Interrupting.calls += 1
                if Interrupting.calls == step:
                    signal.raise_signal(signal.SIGINT)
            return super().forward(*arguments)

    expected = fit(config, solids, CloudNet, console=QUIET)
    stopped = replace(config, run=str(tmp_path / "stopped"))
    with pytest.raises(Interrupted, match=f"steerable train shapes --resume {stopped.run}"):
        fit(stopped, solids, Interrupting, console=QUIET)
    run = fit(stopped, solids, CloudNet, resume=True, console=QUIET)
    assert log(run) == log(expected)
    assert (run / "model.safetensors").read_bytes() == (expected / "model.safetensors").read_bytes()
    first, second = (
        json.loads((folder / "metrics.json").read_text())["test"] for folder in (run, expected)
    )
    assert first == second


def test_two_equal_runs_are_equal_and_another_seed_is_another(config, solids, tmp_path):
    first = fit(config, solids, CloudNet, console=QUIET)
    again = fit(replace(config, run=str(tmp_path / "again")), solids, CloudNet, console=QUIET)
    other = replace(config, fit=replace(config.fit, seed=1), run=str(tmp_path / "other"))
    assert log(first) == log(again) != log(fit(other, solids, CloudNet, console=QUIET))


def test_the_least_cross_entropy_of_validation_chooses_the_weights(config, solids):
    run = fit(config, solids, CloudNet, console=QUIET)
    best = min(range(3), key=lambda k: float(log(run)[k + 1][2]))
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["validation"]["epoch"] == best + 1
    assert metrics["validation"]["error"] == {"value": float(log(run)[best + 1][4]), "unit": "%"}
    if best == 2:
        state = torch.load(run / "last.ckpt", weights_only=True)["state_dict"]
        saved = load_file(run / "model.safetensors")
        assert all(torch.equal(state[f"average.module.{name}"], saved[name]) for name in saved)


def test_the_parts_share_no_cloud_and_validation_is_of_every_class(config, solids):
    config.data.train_rotation = config.data.test_rotation = "aligned"
    config.data.points = 200
    problem, test = shapes.TASK.pose(config, solids), shapes.held_out(config, solids)["aligned"][0]
    found = [problem.train.items, problem.validation.items, test]
    assert [part.label.bincount().tolist() for part in found] == [
        [8, 8, 8],
        [2, 2, 2],
        [10, 10, 10],
    ]
    norms = torch.cat([part.points.norm(dim=2).sort(1).values for part in found])
    assert len(norms.unique(dim=0)) == 60


def test_batches_are_augmented_and_validation_is_not(config, solids):
    config.data = replace(config.data, jitter=0.0, stretch=0.0, drop=0.0)
    problem = shapes.TASK.pose(config, solids)
    known = {round(float(height), 5) for height in solids.points[..., 2].flatten()}
    for batches in (problem.train, problem.validation):  # rotations about z keep the heights
        for pos, batch, y in batches:
            assert {round(float(height), 5) for height in pos[:, 2]} <= known
            assert batch.bincount().tolist() == [64] * len(y)
    first, second = ([pos for pos, _, _ in problem.validation] for _ in range(2))
    assert all(map(torch.equal, first, second))


def test_the_test_is_turned_as_it_is_told(config, solids):
    found = shapes.held_out(config, solids)
    assert {name: len(passes) for name, passes in found.items()} == {"so3": 3, "aligned": 1, "z": 1}
    assert next(iter(found)) == "so3"
    config.data.test_rotation = "aligned"
    assert {name: len(passes) for name, passes in shapes.held_out(config, solids).items()} == {
        "aligned": 1,
        "z": 1,
        "so3": 1,
    }


def test_metrics_are_those_of_the_predictions(config, solids):
    class Upright(CloudNet):
        """Knows a class by its place in the batch, and only while the cloud is upright."""

        def forward(self, pos, batch=None):
            clouds = pos.unflatten(0, (int(batch.max()) + 1, -1))
            flat = clouds[..., 2].abs().amax(1) < clouds[..., 0].abs().amax(1)
            return (
                torch.nn.functional.one_hot(torch.where(flat, 2, 0), 3).to(pos)
                + 0 * self.head[1].bias
            )

    passes = shapes.held_out(config, solids)
    metadata = {
        "classes": ["cone", "cross", "torus"],
        "baselines": {"frequency": [0.25, 0.25, 0.5]},
    }
    found = shapes.TASK.test(Upright(3), passes, metadata)
    guesses = torch.stack(
        [
            torch.where(c.points[..., 2].abs().amax(1) < c.points[..., 0].abs().amax(1), 2, 0)
            for c in passes["so3"]
        ]
    )
    label = passes["so3"][0].label
    right = (guesses == label).double()
    assert found.test["accuracy"]["value"] == pytest.approx(100 * float(right.mean()))
    voted = torch.stack([(guesses == k).sum(0) for k in range(3)]).argmax(0)
    assert found.test["voted_accuracy"]["value"] == pytest.approx(
        100 * float((voted == label).double().mean())
    )
    assert found.test["per_class"]["torus"]["value"] == pytest.approx(
        100 * float(right[:, label == 2].mean())
    )
    assert found.test["rotations"]["aligned"]["value"] != found.test["accuracy"]["value"]
    assert found.baselines["majority"]["name"] == "always torus"
    assert found.baselines["majority"]["accuracy"]["value"] == pytest.approx(100 / 3)
    expected = -torch.tensor([0.25, 0.25, 0.5]).log().mean()
    assert found.baselines["majority"]["cross_entropy"]["value"] == pytest.approx(
        float(expected), rel=1e-6
    )
    table = found.tables["class"]
    assert len(table.rows) == 30 and table.rows[0][0] == "cone"
    assert table.classes == ("cone", "cross", "torus")


def test_a_network_is_certified_under_its_own_group(config, solids):
    passes = shapes.held_out(config, solids)
    for group, name in (("SO(2)", "Cinf"), ("O(2)", "Cinfv"), ("SO(3)", "SO(3)")):
        config.model = replace(config.model, group=group)
        metadata = shapes.TASK.pose(config, solids).metadata
        model = CloudNet(**metadata["model"]).eval()
        exact = certificates(shapes.TASK.claim(model, passes, metadata))["prediction"].float64
        assert exact.passed and exact.group == name
        model.axial = True
        exact = certificates(shapes.TASK.claim(model, passes, metadata))["prediction"].float64
        assert exact.passed is (name != "SO(3)")


def test_the_size_of_the_network_is_passed_on(config, solids):
    config.model = ShapesModel(
        "O(2)", width=3, levels=[32, 8], neighbours=5, radial=2, depth=0, dropout=0.1
    )
    assert shapes.TASK.pose(config, solids).arguments == {
        "classes": 3, "group": "Cinfv", "width": 3,
        "points": [64, 32, 8], "neighbours": 5, "radial": 2, "depth": 0,
        "dropout": 0.1,
    }  # fmt: skip


def test_a_run_is_evaluated_again_to_the_same_numbers(config, solids):
    run = fit(config, solids, CloudNet, console=QUIET)
    before = (run / "metrics.json").read_text()
    assert evaluate(run, solids, CloudNet) == json.loads(before)
    model, metadata = load(run, CloudNet)
    assert metadata["classes"] == ["cone", "cross", "torus"]
    assert model(solids.points[0], None).shape == (1, 3)


def test_more_points_than_there_are_is_refused(config, solids):
    config.data.points = 201
    with pytest.raises(
        ConfigError, match="data.points is 201, and the clouds have 200: ask for at most that"
    ):
        shapes.TASK.pose(config, solids)


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (
            ShapesData,
            {"train_rotation": "y"},
            "data.train_rotation is one of aligned, z, so3; got 'y'",
        ),
        (ShapesData, {"points": 0}, "data.points is a finite number 1 or more; got 0"),
        (
            ShapesData,
            {"validation": 1.0},
            "data.validation is a finite number above 0 and below 1; got 1.0",
        ),
        (ShapesData, {"drop": 1.0}, "data.drop is a finite number 0 or more and below 1; got 1.0"),
        (
            ShapesFit,
            {"smoothing": -0.1},
            "fit.smoothing is a finite number 0 or more and below 1; got -0.1",
        ),
        (ShapesFit, {"epochs": 0}, "fit.epochs is a finite number 1 or more; got 0"),
    ],
)
def test_settings_out_of_range_are_refused(kind, settings, message):
    with pytest.raises(ConfigError, match=message):
        kind(**settings)
