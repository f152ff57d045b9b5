import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from ase.build import molecule
from ase.collections import g2
from ase.io import write
from torch_geometric.data import Data

from steerable import cli
from steerable.data import read_nbody, read_shapes
from steerable.train import TASKS, DataConfig, FitConfig, ModelConfig, QM9Config
from steerable.train.tasks import presets

SMALL = QM9Config(
    DataConfig(train=20, validation=5, test=5),
    ModelConfig(hidden="4x0e+2x1o", layers=1, filter_field="0e+1o", filter_channels=2),
    FitConfig(epochs=2, batch_size=10),
)


def molecules():
    """Molecules of H, C and O from ASE; property 12 is a number for each atom."""
    found = [molecule(name) for name in g2.names]
    chosen = [atoms for atoms in found if set(atoms.numbers) <= {1, 6, 8} and len(atoms) > 2][:30]
    return [
        Data(
            z=torch.from_numpy(atoms.numbers).long(),
            pos=torch.from_numpy(atoms.positions).float(),
            y=torch.full((1, 19), -2.5 * len(atoms)),
        )
        for atoms in chosen
    ]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The run folder of a demo that is small."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("steerable.train.tasks.qm9.QM9", molecules)
        patch.setattr(
            presets, "demo", lambda run: QM9Config(SMALL.data, SMALL.model, SMALL.fit, run)
        )
        patch.chdir(folder)
        assert cli.main(["demo"]) == 0
    return folder / "runs" / "qm9-demo"


@pytest.fixture
def here(run, monkeypatch):
    """Commands run where the demo did, on its molecules."""
    monkeypatch.setattr("steerable.train.tasks.qm9.QM9", molecules)
    monkeypatch.setattr(
        presets, "demo", lambda run: QM9Config(SMALL.data, SMALL.model, SMALL.fit, run)
    )
    monkeypatch.chdir(run.parent.parent)
    return run


def test_the_demo_ends_with_one_json_object_and_makes_a_new_folder(here, capsys):
    assert cli.main(["demo"]) == 0
    lines = capsys.readouterr().out.rstrip("\n").split("\n")
    assert list(json.loads(lines[-1])) == [
        "test_mae_eV", "mean_baseline_mae_eV",
        "composition_baseline_mae_eV", "equivariance_float64",
        "equivariance_float32", "parameters", "train_seconds", "run",
    ]  # fmt: skip
    assert json.loads(lines[-1])["run"] == "runs/qm9-demo-2"
    assert {"loss.png", "parity.png", "metrics.json"} <= {
        path.name for path in (here.parent / "qm9-demo-2").iterdir()
    }
    assert any("least squares on composition" in line for line in lines)
    assert any("MAE [eV]" in line for line in lines)


def test_train_and_resume(here, capsys, tmp_path):
    settings = here / "config.yaml"
    run = str(tmp_path / "run")
    assert (
        cli.main(["train", "qm9", "--config", str(settings), "--fit.epochs", "1", "--run", run])
        == 0
    )
    assert cli.main(["train", "qm9", "--resume", run, "--fit.epochs", "3"]) == 0
    assert len((tmp_path / "run" / "log.csv").read_text().split("\n")) == 5
    assert cli.main(["train", "qm9", "--config", str(settings), "--run", run]) == 2
    assert f"--resume {run}" in capsys.readouterr().err


def test_evaluate_prints_the_metrics(here, capsys):
    assert cli.main(["evaluate", str(here)]) == 0
    out = capsys.readouterr().out
    assert "5 test molecules" in out
    assert "symmetry kept" in out
    assert "parity.png" in out


def test_evaluate_shows_numbers_in_a_unit_of_choice(here, capsys):
    assert cli.main(["evaluate", str(here), "--units", "meV"]) == 0
    out = capsys.readouterr().out
    mae = json.loads((here / "metrics.json").read_text())["test"]["mae"]
    assert mae["unit"] == "eV"
    assert "MAE [meV]" in out and f"{1000 * mae['value']:#.4g}" in out
    assert "largest errors of U0_atom [meV]: #" in out
    assert {"errors.png", "worst.png"} <= {path.name for path in here.iterdir()}
    assert cli.main(["evaluate", str(here), "--units", "D"]) == 2
    assert "Nothing here can be expressed in D: it is in eV." in capsys.readouterr().err


def test_certify_prints_both_certificates(here, capsys):
    assert cli.main(["certify", str(here)]) == 0
    out = capsys.readouterr().out
    assert "equivariant under O(3), float64" in out
    assert "equivariant under O(3), float32" in out


def test_predict_prints_one_row_a_molecule(here, capsys, tmp_path):
    write(tmp_path / "two.xyz", [molecule("CH4"), molecule("H2O")])
    assert cli.main(["predict", str(here), str(tmp_path / "two.xyz")]) == 0
    header, *rows = capsys.readouterr().out.rstrip().split("\n")
    assert header.split() == ["index", "formula", "U0_atom", "[eV]"]
    assert [row.split()[:2] for row in rows] == [["0", "CH4"], ["1", "H2O"]]
    output = tmp_path / "out.json"
    assert (
        cli.main(
            ["predict", str(here), str(tmp_path / "two.xyz"), "--json", "--output", str(output)]
        )
        == 0
    )
    found = json.loads(output.read_text())
    assert (found["target"], found["unit"]) == ("U0_atom", "eV")
    assert found["molecules"][0]["prediction"] == pytest.approx(float(rows[0].split()[2]), abs=1e-6)


def test_predict_refuses_unknown_elements(here, capsys, tmp_path):
    write(tmp_path / "silane.xyz", [molecule("CH4"), molecule("SiH4")])
    assert cli.main(["predict", str(here), str(tmp_path / "silane.xyz")]) == 2
    assert capsys.readouterr().err.startswith(
        "error: Frame 1 (H4Si) has Si, and the network was trained on H, C, O"
    )


@pytest.fixture
def shapes(tmp_path, monkeypatch):
    """A folder with few solids in `solids.npz`."""
    whole = read_shapes()
    rows = torch.arange(840).reshape(7, 120)[[2, 6], 60:100].flatten()
    table = {"points": whole.points[rows, :100], "label": torch.arange(2).repeat_interleave(40)}
    table["is_test"] = whole.is_test[rows]
    np.savez(
        tmp_path / "solids.npz",
        **{k: v.numpy() for k, v in table.items()},
        classes=np.array(["cone", "torus"]),
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_shapes_are_trained_resumed_evaluated_and_certified(shapes, capsys):
    options = (
        "--data.root solids.npz --data.points 50 --data.train_rotation z --data.votes 2 --run run"
    )
    options += (
        " --model.group SO(2) --model.width 2 --model.levels [8] --model.neighbours 4 --fit.epochs "
        "2"
    )
    assert cli.main(["train", "shapes", *options.split()]) == 0
    out = capsys.readouterr().out
    assert "shapes/solids: 36 clouds" in out
    assert "40 test clouds" in out and "accuracy [%]" in out and "always cone" in out
    assert "symmetry kept" in out and "elements of Cinf" in out
    assert {"loss.png", "confusion.png", "metrics.json"} <= {
        path.name for path in (shapes / "run").iterdir()
    }
    assert cli.main(["train", "shapes", "--resume", "run", "--fit.epochs", "3"]) == 0
    assert len((shapes / "run" / "log.csv").read_text().split("\n")) == 5
    assert cli.main(["evaluate", "run"]) == 0
    assert cli.main(["certify", "run"]) == 0
    assert "equivariant under Cinf, float64" in capsys.readouterr().out
    assert cli.main(["predict", "run", "file.xyz"]) == 2
    assert (
        "predict reads molecules, and run learned shapes/solids: give a run of qm9"
        in capsys.readouterr().err
    )
    assert cli.main(["train", "qm9", "--resume", "run"]) == 2
    assert "There is no setting data.root, asked for in run/config.yaml" in capsys.readouterr().err


def test_motion_is_trained_from_a_preset_and_led_on(capsys, monkeypatch, tmp_path):
    motion = read_nbody("charged", (12, 4, 4))
    monkeypatch.setattr("steerable.train.tasks.nbody.read_nbody", lambda preset: motion)
    monkeypatch.chdir(tmp_path)
    parts = "--data.train 0 --data.validation 0 --data.test 0"
    short = "--fit.epochs 1 --model.steps 3"
    assert cli.main(f"train nbody --preset springs-50 {parts} {short} --run run".split()) == 0
    out = capsys.readouterr().out
    assert "4 test systems" in out and "constant velocity" in out
    assert "translations: plane" in (tmp_path / "run" / "config.yaml").read_text()
    assert cli.main(["rollout", "run", "--steps", "2", "--system", "3"]) == 0
    names = [line.rsplit("/")[-1] for line in capsys.readouterr().out.splitlines()]
    assert names == ["trajectory.npz", "motion.gif", "conserved.png"]
    assert all((tmp_path / "run" / "rollout" / name).is_file() for name in names)
    assert cli.main(["train", "nbody", "--preset", "charged", "--resume", "run"]) == 2
    assert (
        "run has its settings already: leave --preset out to resume it." in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("demmo", "Did you mean demo?"),
        ("zzz", "Commands are demo, data, train, evaluate, predict, certify, rollout."),
        ("train", f"`steerable train` learns one of {', '.join(TASKS)}; got nothing."),
        ("train qm8", f"`steerable train` learns one of {', '.join(TASKS)}; got qm8."),
        (
            "train shapes --data.root nowhere --run there",
            "There are no shapes nowhere: give a folder of OFF files",
        ),
        ("train shapes --data.train_rotation y", "data.train_rotation"),
        ("train qm9 --fit.epoch 3", "There is no option --fit.epoch. Did you mean --fit.epochs?"),
        ("train qm9 --resume nowhere", "There is no run folder nowhere to resume."),
        ("train qm9 --config nowhere.yaml", "The settings in nowhere.yaml cannot be read"),
        ("train qm9 --preset charged", "qm9 has no presets: leave --preset out."),
        (
            "train nbody --preset moon",
            "data.preset is one of charged, gravity, springs-0, springs-10, springs-50, solar",
        ),
        ("rollout nowhere", "There is no run folder nowhere."),
        ("rollout nowhere --film avi", "A film is one of gif, mp4; got 'avi'."),
        ("evaluate", "the following arguments are required: run. Try: steerable evaluate --help"),
        ("evaluate nowhere", "There is no run folder nowhere."),
        ("predict nowhere file.xyz", "There is no run folder nowhere."),
        (
            "predict nowhere file.xyz --output no/where",
            "--output is a file in a folder that exists; got no/where.",
        ),
        ("demo --quick", "unrecognized arguments: --quick."),
    ],
)
def test_a_wrong_command_is_one_line_and_exit_code_2(line, message, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert cli.main(line.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert message in err
    assert err.count("\n") == 1


def test_debug_shows_where(capsys):
    assert cli.main(["evaluate", "nowhere", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_is_exit_code_130(monkeypatch, capsys):
    def stop(arguments):
        raise KeyboardInterrupt

    monkeypatch.setitem(cli.COMMANDS, "demo", stop)
    assert cli.main(["demo"]) == 130
    assert capsys.readouterr().err == "stopped\n"


def test_help_and_version(capsys):
    assert cli.main([]) == 0
    out = capsys.readouterr().out
    assert all(f"  {command} " in out for command in cli.COMMANDS)
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.strip()


def test_help_does_not_wait_for_the_engine():
    code = (
        "import sys, steerable.cli; steerable.cli.main(['--help']); sys.exit('lightning' in "
        "sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL).returncode == 0


def test_predictions_do_not_wait_for_the_engine(here, tmp_path):
    write(tmp_path / "water.xyz", molecule("H2O"))
    heavy = "lightning", "matplotlib", "jsonargparse", "rich", "torch_geometric", "torch._dynamo"
    code = f"""
import sys
from steerable import cli
assert cli.main(["predict", {str(here)!r}, {str(tmp_path / "water.xyz")!r}]) == 0
print([name for name in {heavy!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("command", ["evaluate", "certify", "predict", "rollout"])
def test_the_device_is_checked_and_passed_on(here, capsys, monkeypatch, command, tmp_path):
    write(tmp_path / "water.xyz", molecule("H2O"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    file = [str(tmp_path / "water.xyz")] if command == "predict" else []
    assert cli.main([command, str(here), *file, "--device", "cuda:1"]) == 2
    assert "PyTorch finds no CUDA:1 device" in capsys.readouterr().err
    if command != "rollout":
        assert cli.main([command, str(here), *file, "--device", "cpu"]) == 0


def test_threads_that_wait_sleep():
    """The settings are there before torch is imported, and those of the user stay."""
    code = (
        "import os, sys\n"
        "from steerable import cli\n"
        "assert 'torch' not in sys.modules\n"
        "cli.main(['--version'])\n"
        "print(os.environ['OMP_WAIT_POLICY'], os.environ['GOMP_SPINCOUNT'])"
    )
    for setting, expected in ((None, "passive 0"), ("active", "active 0")):
        environment = {key: value for key, value in os.environ.items() if "OMP_" not in key}
        if setting:
            environment["OMP_WAIT_POLICY"] = setting
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.splitlines()[-1] == expected


def test_a_program_that_has_torch_keeps_its_settings(monkeypatch, capsys):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    assert cli.main(["--version"]) == 0
    assert "OMP_WAIT_POLICY" not in os.environ
