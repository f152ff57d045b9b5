import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from ase.build import bulk
from ase.io import write

from steerable import load
from steerable.data import split
from steerable.data.structures import to_structures
from steerable.deploy import Predictor, UnlikeTrainingWarning
from steerable.models import PropertySettings, build_property
from steerable.train import (
    TASKS,
    ConfigError,
    evaluate,
    evaluate_file,
    fit,
    fit_committee,
    fit_property,
)
from steerable.train.tasks.property.reading import read_all
from steerable.train.tasks.property.task import pose
from train.properties import QUIET, molecules

METADATA = {
    "task": "property/energy",
    "targets": [{"name": "energy", "unit": "eV", "is_extensive": True}],
    "elements": [8, 12, 22],
}
DEGREE_2 = PropertySettings(layers=1, filter_channels=4, hidden="8x0e+4x1o+2x2e")


def metrics_of(run):
    return json.loads((run / "metrics.json").read_text())


@pytest.mark.parametrize(
    ("target", "keys"),
    [
        ("energy", {"mae", "rmse", "r2"}),
        ("dipole", {"mae", "rmse", "relative_error", "median_error"}),
        ("charges", {"mae", "rmse", "r2"}),
        ("kind", {"error", "balanced_error", "roc_auc", "cross_entropy"}),
    ],
)
def test_a_run_of_every_kind(config, frames, target, keys):
    run = fit(config(target), frames, console=QUIET)
    metrics = metrics_of(run)
    assert set(metrics["test"]) == keys | {"structures"}
    assert metrics["certificate"]["passed"]
    assert metrics["baselines"]["mean"]["name"] == "mean of the training set"
    predictor = load(run)
    assert len(predictor(frames[:3])[target]) == (
        sum(map(len, frames[:3])) if target == "charges" else 3
    )


@pytest.mark.filterwarnings("ignore:.*left out of its loss")
def test_several_targets_some_of_them_missing(config, frames):
    settings = config("energy,gap")
    problem = pose(settings, frames)
    assert [term.output for term in problem.loss.terms] == ["energy", "gap"]
    assert [measure.key for measure in problem.measures] == ["mae_energy", "mae_gap"]
    run = fit(settings, frames, console=QUIET)
    test = metrics_of(run)["test"]
    assert {"energy_mae", "gap_mae"} <= set(test)


def test_a_tensor_needs_features_of_degree_2(config, frames):
    settings = config("alpha")
    with pytest.raises(ConfigError, match="2e"):
        fit(settings, frames, console=QUIET)
    settings.model = replace(DEGREE_2)
    run = fit(settings, frames, console=QUIET)
    assert load(run)(frames[:2])["alpha"].shape == (2, 3, 3)


def test_statistics_are_those_of_training_alone(config, frames):
    problem = pose(config("energy"), frames)
    head = problem.arguments["heads"][0]
    train = problem.train.items.structures
    energies, elements = train.columns["energy"].data, problem.arguments["elements"]
    counts = np.array([[(z == e).sum() for e in elements] for z in train.numbers()])
    assert np.allclose(head["reference"], np.linalg.lstsq(counts, energies, rcond=None)[0])
    rest = energies - counts @ head["reference"]
    assert head["scale"] == pytest.approx(np.sqrt(np.mean(rest**2)))


def test_references_of_a_mean_over_atoms_are_those_of_shares(config, frames):
    problem = pose(config("energy/atom"), frames)
    head = problem.arguments["heads"][0]
    train = problem.train.items.structures
    elements = problem.arguments["elements"]
    shares = np.array([[(z == e).mean() for e in elements] for z in train.numbers()])
    energies = train.columns["energy"].data / train.sizes
    assert head["pool"] == "mean"
    assert np.allclose(head["reference"], np.linalg.lstsq(shares, energies, rcond=None)[0])


def test_files_for_each_part(config, frames, tmp_path):
    for name, part in (
        ("train", frames[:24]),
        ("validation", frames[24:32]),
        ("test", frames[32:]),
    ):
        write(tmp_path / f"{name}.xyz", part)
    settings = config("energy")
    settings.data = replace(
        settings.data,
        train=str(tmp_path / "train.xyz"),
        validation=str(tmp_path / "validation.xyz"),
        test=str(tmp_path / "test.xyz"),
    )
    run = fit(settings, console=QUIET)
    assert metrics_of(run)["test"]["structures"] == 8
    assert "test.xyz#0" in (run / "split.csv").read_text()
    write(tmp_path / "test.xyz", frames[:8])
    with pytest.raises(ValueError, match=r"Bring .*test.xyz back"):
        evaluate(run)


def test_a_run_is_tested_on_other_files_with_labels(config, frames, tmp_path):
    run = fit(config("kind"), frames, console=QUIET)
    write(tmp_path / "more.xyz", molecules(12, seed=3))
    metrics = evaluate_file(run, tmp_path / "more.xyz")
    assert metrics["test"]["structures"] == 12
    with pytest.raises(ValueError, match="no quantity 'kind'"):
        plain = [atoms.copy() for atoms in frames]
        for atoms in plain:
            atoms.info = {}
        write(tmp_path / "plain.xyz", plain)
        evaluate_file(run, tmp_path / "plain.xyz")


@pytest.mark.filterwarnings("ignore:.*left out of its loss")
def test_a_run_from_python_is_evaluated_on_the_same_structures_alone(config, frames):
    run = fit(config("gap"), frames, console=QUIET)
    before = metrics_of(run)["test"]
    assert evaluate(run, frames)["test"] == before
    with pytest.raises(ValueError, match="data given in Python"):
        evaluate(run)


def test_one_training_begins_with_the_weights_of_another(config, frames, tmp_path):
    first = fit(config("energy"), frames, console=QUIET)
    settings = config("energy")
    settings.run, settings.fit.epochs, settings.fit.lr = str(tmp_path / "second"), 1, 1e-9
    second = fit(settings, frames, console=QUIET, start=first)
    one, other = load(first).model, load(second).model
    assert all(
        torch.allclose(a, b, atol=1e-6)
        for a, b in zip(one.parameters(), other.parameters(), strict=True)
    )


@pytest.mark.filterwarnings("ignore:.*left out of its loss")
def test_a_committee_predicts_its_mean_and_spread(config, frames):
    run = fit_committee(config("gap"), 2, frames, console=QUIET)
    single = [load(run / f"member-{k}")(frames[:4])["gap"] for k in (1, 2)]
    both = load(run)(frames[:4])
    assert np.allclose(both["gap"], np.mean(single, 0))
    assert (both["gap_std"] > 0).all()
    assert len(metrics_of(run)["each"]) == 2


def test_periodic_structures_are_learned(config, frames):
    for atoms in frames:
        atoms.set_cell([9.0, 8.0, 7.0])
        atoms.pbc = True
    run = fit(config("energy"), frames, console=QUIET)
    predictor = load(run)
    energy = predictor(frames[:1])["energy"]
    with pytest.warns(UnlikeTrainingWarning, match="12 atoms, training had"):
        doubled = predictor([frames[0].repeat((2, 1, 1))])["energy"]
    assert np.allclose(doubled, 2 * energy, rtol=1e-6)


def test_crystals_in_any_orientation_and_repeated_predict_the_same():
    """In float32, to 1e-6: relative positions are computed in float64."""
    torch.manual_seed(0)
    arguments = {"elements": [8, 12, 22], "heads": [{"name": "energy"}], "layers": 2}
    predictor = Predictor([build_property(**arguments).eval()], [METADATA | {"model": arguments}])
    random = np.random.default_rng(0)
    turn = np.linalg.qr(random.normal(size=(3, 3)))[0]  # of either handedness
    for _ in range(5):
        atoms = bulk("MgO", "rocksalt", 4.2) * (2, 1, 1)
        atoms.positions += 0.1 * random.normal(size=(len(atoms), 3)) + 30.0
        atoms.cell[:] += 0.2 * random.normal(size=(3, 3))
        turned = atoms.copy()
        turned.cell[:], turned.positions = atoms.cell @ turn, atoms.positions @ turn
        repeated = atoms * (1, 2, 3)
        one, other, six = predictor([atoms, turned, repeated])["energy"]
        assert other == pytest.approx(one, rel=1e-6)
        assert six / 6 == pytest.approx(one, rel=1e-6)


@pytest.mark.filterwarnings("ignore::steerable.deploy.UnlikeTrainingWarning")
@pytest.mark.filterwarnings("ignore:.*left out of its loss")
def test_property_from_python(tmp_path, frames):
    predictor = fit_property(
        frames,
        "gap",
        run=tmp_path / "run",
        data={"validation": "8", "test": "8"},
        model={"hidden": "8x0e+4x1o", "layers": 1, "filter_channels": 4},
        training={"epochs": 1, "batch_size": 8},
        console=QUIET,
    )
    assert predictor.runs == (tmp_path / "run",)
    assert predictor(frames)["gap"].shape == (40,)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"target": "enrgy"}, r"Did you mean 'energy'\?"),
        ({"target": ""}, "data.target names what is learned"),
        ({"target": "energy,energy"}, "twice"),
        ({"target": "energy", "unit": "eV,eV"}, "one for each of the 1"),
        ({"target": "energy", "extensive": "maybe"}, "one of auto, yes, no"),
        ({"target": "energy", "validation": "0"}, "No structure is left for the validation"),
        ({"target": "energy", "test": "1.5"}, "a share below 1 or a number"),
        ({"target": "energy", "weight": "-1"}, "0 or more"),
    ],
)
def test_settings_that_make_no_sense(config, frames, data, message):
    settings = config("energy")
    settings.data = replace(settings.data, **data)
    with pytest.raises(ValueError, match=message):
        pose(settings, frames)


def test_qm9_is_a_preset_with_the_split_of_the_task_qm9(monkeypatch):
    class Small:
        def structures(self):
            structures = to_structures(molecules(60))
            return structures.with_columns({"U0_atom": structures.columns["energy"]})

    monkeypatch.setattr("steerable.train.tasks.property.reading.QM9", Small)
    config = TASKS["property"].settings("qm9")
    config.data = replace(config.data, validation="10", test="20", limit=25)
    parts, _ = read_all(config.data)
    expected = split("n", 60, train=25, validation=10, test=20, seed=0)
    for part, index in zip(
        (parts.train, parts.validation, parts.test),
        (expected.train, expected.validation, expected.test),
        strict=True,
    ):
        assert part.frame.tolist() == index.tolist()
    with pytest.raises(ConfigError, match="minutes, hour, night and qm9"):
        TASKS["property"].settings("day")


def test_fewer_structures_than_a_batch(config, frames):
    settings = config("energy")
    settings.fit.batch_size = 32
    with pytest.raises(ConfigError, match="24 training structures and fit.batch_size is 32"):
        pose(settings, frames)


def test_an_element_that_training_does_not_have(config, frames):
    frames[3].numbers[0] = 9
    with pytest.raises(ConfigError, match="No training structure has F, and the .* structure #3"):
        for seed in range(8):
            pose(config("energy", seed=seed), frames)


def test_missing_labels_are_noted(config, frames):
    with pytest.warns(UserWarning, match=r"of 24 structures for training have no 'gap', the first"):
        pose(config("gap"), frames)


def test_duplicates_over_the_parts_are_noted(config):
    frames = molecules(20)
    turned = [atoms.copy() for atoms in frames]
    for atoms in turned:
        atoms.rotate(50, "x")
    with pytest.warns(UserWarning, match="stand in an earlier part too"):
        pose(config("kind"), frames + turned)


def test_energies_in_a_wrong_unit_are_noted(config, frames):
    for atoms in frames:
        atoms.info["energy"] *= 1e3
    structures = to_structures(frames)
    with pytest.warns(UserWarning, match="Is the unit another one"):
        pose(config("energy", unit="eV"), structures)
