import json

import pytest
import torch

from steerable.deploy import LABELS, CheckpointError, load, write
from steerable.models import build_qm9
from steerable.train import load as load_by_train
from steerable.train import save
from steerable.train.checkpoint import versions


@pytest.fixture
def folder(tmp_path, build, molecules):
    """A saved network that depends on its basis."""
    torch.manual_seed(0)
    arguments = {"elements": [1, 6, 8], "reference": [1.0, 2.0, 3.0], "scale": 2.0}
    (tmp_path / "config.yaml").write_text("run: here\n")
    save(
        tmp_path,
        build(**arguments),
        {"model": arguments, "units": "eV"},
        (molecules[0].z, molecules[0].pos),
    )
    return tmp_path


def test_a_network_comes_back(folder, build, molecules):
    torch.manual_seed(0)
    expected = build(elements=[1, 6, 8], reference=[1.0, 2.0, 3.0], scale=2.0)
    model, metadata = load(folder, build)
    assert not model.training
    assert torch.equal(
        model(molecules[1].z, molecules[1].pos), expected(molecules[1].z, molecules[1].pos)
    )
    assert metadata["units"] == "eV"
    assert metadata["dtype"] == "float32"
    assert metadata["versions"] == versions()
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.yaml",
        "metadata.json",
        "model.safetensors",
    ]


def test_a_network_in_float64_stays_so(folder, build, molecules):
    model = build(elements=[1, 6, 8]).double()
    save(folder, model, {"model": {"elements": [1, 6, 8]}}, (molecules[0].z, molecules[0].pos))
    loaded, _ = load(folder, build)
    assert all(
        torch.equal(a, b) for a, b in zip(model.parameters(), loaded.parameters(), strict=True)
    )


def test_a_network_goes_where_it_is_asked_to_and_has_the_precision_that_is_asked_for(
    folder, build, monkeypatch
):
    moves = []
    monkeypatch.setattr(build, "to", lambda self, *a, **k: moves.append(k) or self, raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    metadata = json.loads((folder / "metadata.json").read_text())
    (folder / "metadata.json").write_text(json.dumps(metadata | {"device": "cuda"}))
    load(folder, build)
    load(folder, build, "auto")
    load(folder, build, "cuda:0", torch.float64)
    assert [move for move in moves if move] == [
        {"device": torch.device("cpu"), "dtype": None},
        {"device": torch.device("cuda"), "dtype": None},
        {"device": torch.device("cuda", 0), "dtype": torch.float64},
    ]


def test_double_precision_can_be_asked_for(folder, build):
    model, metadata = load(folder, build, dtype=torch.float64)
    assert metadata["dtype"] == "float32"
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float64}


def test_another_basis_is_refused(folder, build):
    def turned(**arguments):
        model = build(**arguments)
        model.basis = -model.basis
        return model

    with pytest.raises(
        CheckpointError,
        match="checkpoint of other conventions: for the input.*gave.*and gives.*torch",
    ):
        load(folder, turned)


def test_other_labels_are_refused(folder, build, monkeypatch):
    monkeypatch.setitem(LABELS, "normalization", "norm")
    with pytest.raises(
        CheckpointError,
        match="other conventions: normalization are 'component' and this version has 'norm'",
    ):
        load(folder, build)


@pytest.mark.parametrize("name", ["config.yaml", "metadata.json", "model.safetensors"])
def test_a_missing_file_is_named(folder, build, name):
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=f"no finished run: it has no {name}"):
        load(folder, build)


@pytest.mark.parametrize("name", ["metadata.json", "model.safetensors"])
def test_a_file_cut_short_is_named(folder, build, name):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(CheckpointError, match=f"{name} cannot be read"):
        load(folder, build)


def test_no_folder(tmp_path):
    with pytest.raises(CheckpointError, match="There is no run folder"):
        load(tmp_path / "none")


def test_weights_of_another_network_are_refused(folder, build):
    class Wider(build):
        def __init__(self, **arguments):
            super().__init__(**arguments)
            self.more = torch.nn.Linear(2, 2)

    with pytest.raises(CheckpointError, match="do not fit the network of this version"):
        load(folder, Wider)


def test_another_format_is_refused(folder, build):
    metadata = json.loads((folder / "metadata.json").read_text())
    (folder / "metadata.json").write_text(json.dumps(metadata | {"format": 99}))
    with pytest.raises(CheckpointError, match="has format 99; this version reads format 2"):
        load(folder, build)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    file = tmp_path / "file"
    write(file, b"old")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        write(file, b"new")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_energies_of_atoms_come_back_in_float64(tmp_path, molecules):
    """They are as large as those of QM9, where float32 rounds to 1 meV."""
    arguments = {
        "elements": [1, 6, 8],
        "reference": [-16.492031482938, -1036.273148263741, -2043.615920384712],
        "shift": -0.123456789012,
        "scale": 0.271828182845,
        "hidden": "4x0e+2x1o",
        "layers": 1,
    }
    metadata = {"task": "qm9/U0", "model": arguments}
    (tmp_path / "config.yaml").write_text("run: here\n")
    torch.manual_seed(0)
    model = build_qm9(**arguments)
    save(tmp_path, model, metadata, (molecules[0].z, molecules[0].pos))
    expected = model(molecules[1].z, molecules[1].pos)
    for read in (load, load_by_train):
        loaded, _ = read(tmp_path)
        assert loaded.reference.tolist() == arguments["reference"]
        assert loaded.statistics.tolist() == [arguments["shift"], arguments["scale"]]
        result = loaded(molecules[1].z, molecules[1].pos)
        assert result.dtype == torch.float64 and result.equal(expected)
