import numpy as np
import pytest
import torch
from ase.build import bulk, molecule

import steerable
from steerable.data.structures import Target, domain_of, from_atoms
from steerable.deploy import CheckpointError, Predictor
from steerable.models import HeadSettings, PropertySettings, build_property
from steerable.train.checkpoint import save

TARGETS = (Target("gap", unit="eV"), Target("forces", "vector", "atom", "eV/Angstrom"))


def save_run(folder, frames, seed=0, targets=TARGETS, **settings):
    """An untrained network of the task `property`, as a run that learned from some frames."""
    from dataclasses import asdict

    torch.manual_seed(seed)
    structures = from_atoms(frames)
    heads = [
        HeadSettings(target.name, target.kind, target.per, classes=len(target.classes))
        for target in targets
    ]
    chosen = PropertySettings(hidden="8x0e+4x1o", layers=2, cutoff=4.0, filter_channels=4)
    arguments = asdict(chosen) | {
        "elements": np.unique(structures.z).tolist(),
        "neighbours": 4.0,
        "heads": [head.plain() for head in heads],
    }
    arguments |= {"charge": False, "spin": False} | settings
    model = build_property(**arguments).eval()
    metadata = {
        "task": "property/gap",
        "targets": [asdict(target) for target in targets],
        "elements": arguments["elements"],
        "domain": domain_of(structures).as_dict(),
        "model": arguments,
    }
    folder.mkdir()
    (folder / "config.yaml").write_text("task: property\n")
    probe = [torch.from_numpy(structures.z[:2]), torch.from_numpy(structures.pos[:2])]
    if arguments["charge"]:
        probe += [torch.zeros(2, dtype=torch.long), *[None] * 4, torch.ones(1).double()]
    save(folder, model, metadata, probe)
    return model


FRAMES = [molecule("CH4"), molecule("H2O"), molecule("CH3CH2OH")]


@pytest.fixture
def run(tmp_path):
    save_run(tmp_path / "run", FRAMES)
    return tmp_path / "run"


def test_a_run_is_called_on_atoms(run):
    network = steerable.load(run)
    assert isinstance(network, Predictor)
    assert network.units == {"gap": "eV", "forces": "eV/Angstrom"}
    outputs = network(FRAMES)
    assert outputs["gap"].shape == (3,) and outputs["forces"].shape == (17, 3)
    atoms = FRAMES[1]
    pos = torch.from_numpy(atoms.positions).float()
    alone = network.model(torch.from_numpy(atoms.numbers).long(), pos)
    assert outputs["gap"][1] == pytest.approx(alone["gap"].item(), rel=1e-5)
    assert outputs["forces"][5:8] == pytest.approx(alone["forces"].detach().numpy(), abs=1e-5)
    assert network(atoms)["gap"] == pytest.approx(outputs["gap"][1:2])
    assert network(from_atoms(FRAMES))["gap"] == pytest.approx(outputs["gap"])


def test_several_runs_give_a_mean_and_a_spread(tmp_path):
    runs = [tmp_path / f"run{seed}" for seed in range(3)]
    for seed, folder in enumerate(runs):
        save_run(folder, FRAMES, seed)
    alone = np.stack([steerable.load(folder)(FRAMES)["gap"] for folder in runs])
    outputs = steerable.load(*runs)(FRAMES)
    assert outputs["gap"] == pytest.approx(alone.mean(0))
    assert outputs["gap_std"] == pytest.approx(alone.std(0, ddof=1))
    assert outputs["forces_std"].shape == (17, 3)


def test_runs_of_different_elements_do_not_predict_together(run, tmp_path):
    save_run(tmp_path / "other", [molecule("NH3"), molecule("CH4")])
    with pytest.raises(CheckpointError, match="have learned the same targets, of the same"):
        steerable.load(run, tmp_path / "other")


def test_structures_unlike_the_training_set_give_a_warning(run):
    network = steerable.load(run)
    with pytest.warns(steerable.deploy.UnlikeTrainingWarning, match="1 of 2 .* 12 atoms"):
        network([molecule("CH4"), molecule("C6H6")])


def test_periodic_structures_are_predicted_in_any_cell(tmp_path):
    salt = bulk("NaCl", "rocksalt", 5.64)
    targets = (Target("energy", unit="eV", is_extensive=True),)
    save_run(tmp_path / "run", [salt], targets=targets)
    network = steerable.load(tmp_path / "run", dtype=torch.float64)
    with pytest.warns(UserWarning, match="16 atoms"):
        outputs = network([salt, salt * (2, 2, 2)])
    assert outputs["energy"][1] == pytest.approx(8 * outputs["energy"][0], rel=1e-9)


def test_charges_are_inputs_where_the_network_takes_them(tmp_path):
    save_run(tmp_path / "run", FRAMES, charge=True)
    network = steerable.load(tmp_path / "run")
    ion = molecule("H2O")
    ion.info["charge"] = 1
    with pytest.warns(UserWarning, match=r"charge \+1, training had 0"):
        outputs = network([molecule("H2O"), ion])
    assert abs(outputs["gap"][0] - outputs["gap"][1]) > 1e-4


def test_runs_on_other_things_are_refused(tmp_path):
    from pathlib import Path

    with pytest.raises(CheckpointError, match="learned shapes/.*: give a run of qm9 or property"):
        steerable.load(Path(__file__).parent.parent / "runs" / "shapes-so3")


def test_a_stream_is_predicted_part_by_part(run):
    network = steerable.load(run)
    read = []

    def stream():
        for number in range(5):
            read.append(number)
            yield from_atoms(FRAMES)

    predictions = network.predict(stream())
    next(predictions)
    assert read == [0]
    assert [part.index[0] for part in predictions] == [3, 6, 9, 12]
