import numpy as np
import pytest
import torch

from steerable.train import ConfigError
from steerable.train.predict import predict
from steerable.train.tasks.qm9 import held_out, pose


def test_a_problem_is_measured_on_its_training_molecules(molecules, config):
    problem = pose(config, molecules)
    assert (
        len(problem.train.items),
        len(problem.validation.items),
        len(held_out(config, molecules)),
    ) == (40, 8, 12)
    train = problem.train.items
    assert problem.arguments["elements"] == [1, 6, 8]
    assert problem.arguments["pool"] == "sum"
    assert problem.arguments["neighbours"] == train.edge_index.shape[1] / len(train.z)
    assert problem.metadata["baselines"]["mean"] == train.y.mean()
    assert problem.metadata["split"] == {
        "name": "n",
        "seed": 0,
        "train": 40,
        "validation": 8,
        "test": 12,
    }
    assert problem.metadata["target"] == {"name": "U0_atom", "unit": "eV", "column": 12}


def test_an_intensive_target_is_a_mean(molecules, config):
    config.data.target = "homo"
    problem = pose(config, molecules)
    assert problem.arguments["pool"] == "mean"


def test_the_parts_share_no_molecule(molecules, config):
    problem = pose(config, molecules)
    values = np.concatenate(
        [problem.train.items.y, problem.validation.items.y, held_out(config, molecules).y]
    )
    assert len(np.unique(values)) == 60


def test_elements_without_training_molecules_are_refused(molecules, config):
    strange = [data.clone() for data in molecules]
    test = held_out(
        config,
        [
            data.clone().update({"y": torch.full((1, 19), float(i))})
            for i, data in enumerate(molecules)
        ],
    )
    strange[int(test.y[0])].z[0] = 9
    with pytest.raises(
        ConfigError,
        match=r"No training molecule has the elements \['F'\].*raise data.train \(now 40\)",
    ):
        pose(config, strange)


def test_an_unknown_target_is_refused(molecules, config):
    config.data.target = "U0_atm"
    with pytest.raises(ValueError, match="did you mean 'U0_atom'"):
        pose(config, molecules)


def test_predictions_do_not_depend_on_the_batch(molecules, config, build):
    found = held_out(config, molecules)
    model = build([1, 6, 8])
    five, one = predict(model, found, size=5), predict(model, found, size=1)
    assert torch.allclose(five["prediction"], one["prediction"])
