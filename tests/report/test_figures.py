import json

import pytest
from ase.build import molecule
from ase.io import write
from matplotlib.image import imread

from steerable.report import confusion, draw, loss_curves

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


def test_a_run_is_drawn_from_its_files_alone(log):
    run = log.parent
    mae = {"mae": {"value": 0.8, "unit": "eV"}}
    metrics = {"task": "qm9/U0_atom", "test": mae, "validation": mae}
    metrics["baselines"] = {"composition": {"name": "least squares on composition"} | mae}
    (run / "metrics.json").write_text(json.dumps(metrics))
    (run / "predictions.csv").write_text("true [eV],predicted [eV]\n1,1.1\n2,2.2\n")
    assert [path.name for path in draw(run)] == ["loss.png", "parity.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in draw(run))


def test_a_run_on_structures_has_errors_and_the_worst_of_them(log):
    run = log.parent
    mae = {"mae": {"value": 0.8, "unit": "eV"}}
    metrics = {"task": "qm9/U0_atom", "test": {"molecules": 2} | mae, "validation": mae}
    metrics |= {"baselines": {}, "figures": [{"kind": "parity", "name": "", "classes": []}]}
    (run / "metrics.json").write_text(json.dumps(metrics))
    (run / "predictions.csv").write_text(
        "index,name,formula,true [eV],predicted [eV],composition [eV]\n"
        "3,water,H2O,-1,-1.1,-0.9\n5,methane,CH4,-2,-2.2,-1.9\n"
    )
    frames = [molecule("CH4"), molecule("H2O")]
    for atoms in frames:
        atoms.info |= {"true": -2.0, "predicted": -2.2, "unit": "eV", "name": "x"}
    write(run / "worst.xyz", frames, format="extxyz")
    names = ["loss.png", "parity.png", "errors.png", "worst.png"]
    assert [path.name for path in draw(run, "kcal/mol")] == names


def test_units_change_the_numbers_of_the_loss(log, tmp_path, monkeypatch):
    figures = []
    monkeypatch.setitem(
        loss_curves.__globals__, "save", lambda figure, path: figures.append(figure)
    )
    for units in (None, "meV"):
        loss_curves(log, tmp_path, "gap", (0.5, "a guess"), units)
    exact, milli = (figure.axes[0] for figure in figures)
    assert (exact.get_ylabel(), milli.get_ylabel()) == ("MAE [eV]", "MAE [meV]")
    assert milli.get_title(loc="left").startswith("gap: validation MAE 138 meV after 16 s")
    for before, after in zip(exact.lines[:2], milli.lines[:2], strict=True):
        assert after.get_ydata() == pytest.approx(1000 * before.get_ydata())
    assert milli.lines[-1].get_ydata()[0] == pytest.approx(500)


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
