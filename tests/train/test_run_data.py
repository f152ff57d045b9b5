"""A run is tested, resumed and certified on what it was trained on, or not at all."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file

from steerable import cli
from steerable.data import Shapes
from steerable.data.particles import charged
from steerable.models import build_nbody
from steerable.train import (
    TASKS,
    DigitsConfig,
    DigitsData,
    NBodyConfig,
    NBodyData,
    OtherDataError,
    ShapesConfig,
    ShapesData,
    SphereConfig,
    SphereData,
    certify_run,
    evaluate,
    fit,
    load,
    rollout,
)
from steerable.train.data_record import PARTS, DataSource, PartRecord, read_record, write_record
from steerable.train.run_data import all_parts, open_data, run_data
from train.small import random_molecules
from train.tasks.test_nbody import SIZES, forecast_of

QUIET = Console(quiet=True)
RESULTS = ("metrics.json", "predictions.csv", "model.safetensors", "data.json", "split.csv")


def contents(run):
    return {name: (run / name).read_bytes() for name in RESULTS}


def changed_molecules():
    """The molecules with another property; the compositions stay."""
    others = [data.clone() for data in random_molecules()]
    for data in others:
        data.y = data.y + 1e-3
    return others


@pytest.fixture
def run(config, molecules, build, monkeypatch):
    # The usual data set of the task is another one, with the same elements and sizes.
    usual = TASKS["qm9"]
    other = (changed_molecules(), DataSource("QM9 of the package qm9pack 1.0.3"))
    monkeypatch.setitem(TASKS, "qm9", replace(usual, usual=lambda config: other))
    monkeypatch.setitem(load.__globals__, "builder", lambda metadata: build)
    return fit(config, molecules, build, console=QUIET)


def test_a_run_folder_says_what_it_learned_from(run, molecules):
    record = read_record(run)
    assert str(record) == "data given in Python"
    assert [part.count for part in record.parts.values()] == [40, 8, 12]
    with (run / "split.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 60
    assert sorted(int(row["index"]) for row in rows) == list(range(60))
    parts = [row["part"] for row in rows]
    assert parts == ["train"] * 40 + ["validation"] * 8 + ["test"] * 12
    # The truths of the test are those of the molecules that the table names.
    test = [int(row["index"]) for row in rows if row["part"] == "test"]
    with (run / "predictions.csv").open() as file:
        true = [float(row["true [eV]"]) for row in csv.DictReader(file)]
    assert true == pytest.approx([float(molecules[k].y[0, 12]) for k in test])


def test_the_same_data_give_the_same_results(run, molecules, build, config):
    before = contents(run)
    evaluate(run, molecules)
    evaluate(run, random_molecules())
    assert contents(run) == before
    assert certify_run(run, molecules)["prediction"].float64.passed
    fit(config, molecules, build, resume=True, console=QUIET)
    assert contents(run) == before


def test_other_data_are_refused_and_nothing_is_written(run, build, config):
    before = contents(run)
    words = (
        r"run was trained on data given in Python \(60 molecules, sha256 [0-9a-f]{8}\), and QM9 of "
        r"the package qm9pack 1.0.3 has other test molecules \(12, sha256 [0-9a-f]{8}\). Give it "
        r"the same data: steerable.train.evaluate\('.*run', dataset=...\)"
    )
    with pytest.raises(OtherDataError, match=words):
        evaluate(run)
    with pytest.raises(OtherDataError, match=r"steerable.train.certify_run\('.*', dataset=...\)"):
        certify_run(run)
    words = r"has other train molecules \(40.*steerable.train.fit\(config, dataset=..., resume=True"
    with pytest.raises(OtherDataError, match=words):
        fit(config, build=build, resume=True, console=QUIET)
    assert contents(run) == before


def test_the_commands_refuse_in_one_line(run, capsys):
    before = contents(run)
    for command in (["evaluate"], ["certify"], ["train", "qm9", "--resume"]):
        assert cli.main([*command, str(run)]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert "was trained on data given in Python (60 molecules" in error
    assert contents(run) == before


def test_other_data_given_in_python_are_refused(run):
    with pytest.raises(OtherDataError, match="data given in Python has other test molecules"):
        evaluate(run, changed_molecules())
    with pytest.raises(OtherDataError, match=r"Python \(60.*the data set has 59"):
        evaluate(run, random_molecules()[:59])


def test_data_that_cannot_be_read_are_told_beside_what_is_wanted(run, monkeypatch):
    def usual(config):
        raise ValueError("QM9 is not there: pip install it")

    monkeypatch.setitem(TASKS, "qm9", replace(TASKS["qm9"], usual=usual))
    with pytest.raises(OtherDataError, match=r"given in Python \(60 .*QM9 is not there.*dataset="):
        evaluate(run)


def test_a_run_on_the_usual_data_is_evaluated_without_them(config, build, molecules, monkeypatch):
    source = DataSource("QM9 of the package qm9pack 1.0.3")
    task = replace(TASKS["qm9"], usual=lambda config: (molecules, source))
    monkeypatch.setitem(TASKS, "qm9", task)
    run = fit(config, build=build, console=QUIET)
    assert read_record(run).source == source
    before = contents(run)
    evaluate(run, build=build)
    evaluate(run, molecules, build)
    assert contents(run) == before
    with pytest.raises(OtherDataError, match=r"qm9pack 1.0.3 \(60.*Leave dataset out"):
        evaluate(run, changed_molecules(), build)


def test_runs_of_earlier_versions_are_evaluated_on_anything(run):
    for name in ("data.json", "split.csv"):
        (run / name).unlink()
    assert evaluate(run)["test"]["molecules"] == 12
    assert not (run / "data.json").exists()


def test_a_file_that_has_changed_is_named(config, molecules, tmp_path):
    task = replace(TASKS["qm9"], usual=None)
    path = tmp_path / "mine.npz"
    path.write_bytes(b"before")
    parts = all_parts(task, config, molecules)
    write_record(tmp_path, DataSource.of_files("the file mine.npz", [path]), parts)
    assert run_data(tmp_path, task, config, molecules, "evaluate(...)")[0] is molecules
    path.write_bytes(b"after")
    changed = (changed_molecules(), DataSource.of_files("the file mine.npz", [path]))
    task = replace(task, usual=lambda config: changed)
    with pytest.raises(OtherDataError, match=r"Bring .*mine.npz back as it was, or train anew"):
        run_data(tmp_path, task, config, None, "evaluate(...)")


def shapes_data():
    generator = torch.Generator().manual_seed(0)
    label = torch.arange(2).repeat_interleave(10)
    is_test = torch.arange(20) % 4 == 0
    return Shapes(torch.randn(20, 16, 3, generator=generator), label, is_test, ("a", "b"))


CASES = {
    "shapes": (ShapesConfig(ShapesData(points=16, validation=0.3)), shapes_data),
    "digits": (DigitsConfig(DigitsData(train=20, validation=10, test=12)), lambda: None),
    "sphere": (SphereConfig(SphereData(train=20, validation=10, test=12)), lambda: None),
    "nbody": (
        NBodyConfig(NBodyData(train=3, validation=2, test=0)),
        lambda: forecast_of(*charged.simulate(*SIZES, seed=0, particles=3)),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_task_tells_its_parts(name):
    config, dataset = CASES[name]
    content, _ = open_data(TASKS[name], config, dataset())
    parts = all_parts(TASKS[name], config, content)
    assert tuple(parts) == PARTS
    indices = np.concatenate([part.index for part in parts.values()])
    assert len(np.unique(indices)) == len(indices)
    for part in parts.values():
        assert {len(values) for values in part.content} == {len(part)}
    problem = TASKS[name].pose(config, content)
    assert len(parts["train"]) == len(problem.train.items)
    assert len(parts["validation"]) == len(problem.validation.items)
    # A label or a position that changes is noticed.
    for k, values in enumerate(parts["test"].content):
        if values.numel():
            record = PartRecord.of(parts["test"])
            changed = [x.clone() for x in parts["test"].content]
            changed[k].view(-1)[-1] += 1
            assert PartRecord.of(replace(parts["test"], content=tuple(changed))) != record


def test_the_parts_of_shapes_are_the_clouds_that_are_learned():
    config, dataset = CASES["shapes"]
    config = replace(config, data=replace(config.data, test_rotation="aligned"))
    shapes = dataset()
    part = TASKS["shapes"].part(config, shapes, "test")
    assert torch.equal(torch.from_numpy(part.index), torch.nonzero(shapes.is_test).flatten())
    clouds = TASKS["shapes"].held_out(config, shapes)["aligned"][0]
    norms = [points.norm(dim=2).sort(1).values for points in (part.content[0], clouds.points)]
    assert torch.allclose(*norms)


def test_the_parts_of_digits_are_the_pictures_that_are_learned():
    config, _ = CASES["digits"]
    digits, source = open_data(TASKS["digits"], config)
    assert source.computed
    problem = TASKS["digits"].pose(config, digits)
    test = TASKS["digits"].held_out(config, digits)
    items = dict(zip(PARTS, (problem.train.items, problem.validation.items, test), strict=True))
    for name, pictures in items.items():
        part = TASKS["digits"].part(config, digits, name)
        assert torch.equal(part.content[1], pictures.label)
        assert torch.equal(digits.label[part.index], pictures.label)


def test_a_rollout_is_of_the_data_of_the_run(tmp_path):
    settings, dataset = CASES["nbody"]
    run = tmp_path / "run"
    model = replace(settings.model, steps=2, hidden=4)
    fitting = replace(settings.fit, epochs=1, batch_size=3)
    fit(NBodyConfig(settings.data, model, fitting, str(run)), dataset(), console=QUIET)
    assert rollout(run, 1, dataset=dataset(), build=build_nbody).is_file()
    other = forecast_of(*charged.simulate(*SIZES, seed=1, particles=3))
    with pytest.raises(OtherDataError, match=r"rollout\('.*run', 1, 0, dataset=...\)"):
        rollout(run, 1, dataset=other)
    assert json.loads((run / "data.json").read_text())["source"]["name"] == "data given in Python"
    assert set(load_file(run / "model.safetensors")) and Path(run / "split.csv").is_file()
