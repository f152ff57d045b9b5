import json

import numpy as np
import pytest
from matplotlib.image import imread

from steerable.report import draw, loss_curves, parity

HEADER = "epoch,time [s],train MAE [eV],validation MAE [eV],learning rate\n"


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(HEADER + "".join(f"{k},{k * 2},{1 / k},{1.1 / k},0.001\n" for k in range(1, 9)))
    return path


def test_loss_curves_are_a_picture(log, tmp_path):
    image = imread(loss_curves(log, tmp_path / "loss.png", "U0_atom", baseline=0.8))
    assert image.shape[0] > 500
    assert image.std() > 0.05


def test_one_epoch_is_enough(tmp_path):
    (tmp_path / "log.csv").write_text(HEADER + "1,2,0.5,0.4,0.001\n")
    assert loss_curves(tmp_path / "log.csv", tmp_path / "loss.png").is_file()


@pytest.mark.parametrize("count", [1, 2, 500])
def test_parity_is_a_picture(tmp_path, count):
    true = np.random.default_rng(0).normal(size=count)
    image = imread(parity(true, true + 0.1, "eV", tmp_path / "parity.png"))
    assert image.std() > 0.05


def test_perfect_predictions_have_a_picture(tmp_path):
    assert parity([1.0, 2.0], [1.0, 2.0], "D", tmp_path / "parity.png").is_file()


def test_a_run_is_drawn_from_its_files_alone(log):
    run = log.parent
    mae = {"mae": {"value": 0.8, "unit": "eV"}}
    (run / "metrics.json").write_text(json.dumps({"task": "qm9/U0_atom", "baselines": {"composition": mae}}))
    (run / "predictions.csv").write_text("true [eV],predicted [eV]\n1,1.1\n2,2.2\n")
    assert [path.name for path in draw(run)] == ["loss.png", "parity.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in draw(run))
