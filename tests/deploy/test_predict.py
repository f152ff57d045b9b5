import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import molecule
from ase.io import write

from steerable.deploy.predict import (
    FilePredictions,
    FramesError,
    check_frames,
    predict_frames,
    predict_molecules,
    read_frames,
)


@pytest.mark.parametrize("suffix", ["xyz", "traj", "json"])
def test_all_frames_of_a_file_are_read(tmp_path, suffix):
    write(tmp_path / f"two.{suffix}", [molecule("CH4"), molecule("H2O")])
    frames = read_frames(tmp_path / f"two.{suffix}")
    assert [atoms.get_chemical_formula() for atoms in frames] == ["CH4", "H2O"]
    check_frames(frames, [1, 6, 8])


@pytest.mark.parametrize(
    ("name", "content"), [("a.xyz", "hello\nworld\n"), ("a.unknown", "x"), ("a.xyz", "")]
)
def test_a_file_that_ase_cannot_read_is_refused(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(
        FramesError, match=rf"ASE cannot read .*{name} \(.*Give a format that it knows"
    ):
        read_frames(tmp_path / name)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(FramesError, match="There is no file"):
        read_frames(tmp_path / "none.xyz")


def test_predictions_are_those_of_the_frames_alone(build):
    frames = [molecule("CH4"), Atoms("H"), molecule("H2O"), molecule("CH3CH2OH")]
    model = build([1, 6, 8])
    values = predict_frames(model, frames, size=3)
    alone = [
        model(torch.from_numpy(a.numbers).long(), torch.from_numpy(a.positions).float()).item()
        for a in frames
    ]
    assert values.tolist() == pytest.approx(alone)


class Named(torch.nn.Module):
    """An energy, a charge for each atom and a dipole, of molecules."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(2.0))

    def forward(self, z, pos, batch):
        molecules = int(batch.max()) + 1
        zero = pos.new_zeros(molecules)
        dipole = pos.new_zeros(molecules, 3).index_add(0, batch, z[:, None] * pos)
        energy = zero.index_add(0, batch, self.weight * z)
        return {"energy": energy, "charges": z / self.weight, "dipole": dipole}


def test_named_outputs_keep_their_names(tmp_path):
    frames = [molecule("CH4"), molecule("H2O")]
    outputs = predict_frames(Named(), frames, size=1)
    assert {name: value.shape for name, value in outputs.items()} == {
        "energy": (2,),
        "charges": (8,),
        "dipole": (2, 3),
    }
    write(tmp_path / "two.xyz", frames)
    units = {"energy": "eV", "charges": "e", "dipole": "e Angstrom"}
    found = predict_molecules(Named(), tmp_path / "two.xyz", [1, 6, 8], units)
    record = found.record()
    assert record["units"] == units
    first, second = record["molecules"]
    assert (first["index"], first["formula"]) == (0, "CH4")
    assert first["predictions"]["energy"] == 20.0
    assert second["predictions"]["charges"] == [4.0, 0.5, 0.5]
    assert len(second["predictions"]["dipole"]) == 3
    header, row, _ = found.table().split("\n")
    assert header.split() == ["index", "formula", "energy", "[eV]"]
    assert row.split() == ["0", "CH4", "20.000000"]


def test_a_single_output_is_the_target():
    found = FilePredictions("molecules", ["H2O"], {"gap": [6.5]}, {"gap": "eV"})
    assert found.record() == {
        "target": "gap",
        "unit": "eV",
        "molecules": [{"index": 0, "formula": "H2O", "prediction": 6.5}],
    }
    assert found.table() == "index  formula  gap [eV]\n    0  H2O      6.500000"


def broken(change):
    atoms = molecule("H2O")
    change(atoms)
    return atoms


@pytest.mark.parametrize(
    ("atoms", "message"),
    [
        (
            molecule("SiH4"),
            r"Frame 1 \(H4Si\) has Si, and the network was trained on H, C, O alone",
        ),
        (
            broken(lambda a: a.positions.__setitem__((2, 0), np.nan)),
            r"NaN or infinite: that of atom 2",
        ),
        (
            broken(lambda a: a.positions.__setitem__((1, 2), np.inf)),
            r"NaN or infinite: that of atom 1",
        ),
        (broken(lambda a: a.set_pbc((True, False, False))), "is periodic"),
        (
            broken(lambda a: a.positions.__setitem__(2, a.positions[0])),
            "atoms 0 and 2 in one place",
        ),
        (Atoms(), r"Frame 1 \(empty\) has no atoms"),
    ],
)
def test_a_frame_without_a_right_answer_is_refused(atoms, message):
    with pytest.raises(FramesError, match=message):
        check_frames([molecule("CH4"), atoms], [1, 6, 8])
