import json

import numpy as np
import pytest
from matplotlib.image import imread

from steerable.report import confusion, draw, loss_curves, parity

HEADER = "epoch,time [s],train MAE [eV],validation MAE [eV],learning rate\n"


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(HEADER + "".join(f"{k},{k * 2},{1 / k},{1.1 / k},0.001\n" for k in range(1, 9)))
    return path


def test_loss_curves_are_a_picture(log, tmp_path):
    image = imread(loss_curves(log, tmp_path / "loss.png", "U0_atom", baseline=(0.8, "a guess")))
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
    metrics = {"task": "qm9/U0_atom", "test": mae, "validation": mae}
    metrics["baselines"] = {"composition": {"name": "least squares on composition"} | mae}
    (run / "metrics.json").write_text(json.dumps(metrics))
    (run / "predictions.csv").write_text("true [eV],predicted [eV]\n1,1.1\n2,2.2\n")
    assert [path.name for path in draw(run)] == ["loss.png", "parity.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in draw(run))


def test_a_confusion_is_a_picture(tmp_path):
    pairs = [("a", "a"), ("a", "b"), ("b", "b")]
    image = imread(confusion(pairs, ["a", "b", "never"], tmp_path / "confusion.png", "letters"))
    assert image.std() > 0.05


def test_a_run_that_learned_classes_has_a_confusion(log):
    run = log.parent
    log.write_text(log.read_text().replace("MAE [eV]", "cross entropy [nat]"))
    entropy = {"cross_entropy": {"value": 0.7, "unit": "nat"}}
    metrics = {
        "task": "shapes/solids",
        "validation": entropy,
        "baselines": {"majority": {"name": "a guess"} | entropy},
    }
    metrics["test"] = entropy | {
        "per_class": {"a": {"value": 50, "unit": "%"}, "b": {"value": 100, "unit": "%"}}
    }
    (run / "metrics.json").write_text(json.dumps(metrics))
    (run / "predictions.csv").write_text("true,predicted,right [%]\na,b,0\na,a,100\nb,b,100\n")
    assert [path.name for path in draw(run)] == ["loss.png", "confusion.png"]
