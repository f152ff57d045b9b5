import re

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk, molecule

from steerable.data.structures import Domain, Target, domain_of, from_atoms
from steerable.deploy import predict as module
from steerable.deploy.inputs import FramesError, NetworkInputs, faults
from steerable.deploy.predict import formula, predict_parts

GAP = (Target("gap", unit="eV"),)


class Named(torch.nn.Module):
    """An energy, a charge for each atom and a dipole, of molecules."""

    def __init__(self, weight=2.0):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(weight))

    def forward(self, z, pos, batch):
        molecules = int(batch.max()) + 1
        zero = pos.new_zeros(molecules)
        dipole = pos.new_zeros(molecules, 3).index_add(0, batch, z[:, None] * pos)
        energy = zero.index_add(0, batch, self.weight * z)
        return {"energy": energy, "charges": z / self.weight, "dipole": dipole}


class Crystals(torch.nn.Module):
    """The volume of the cells, the total charge, and logits of two classes and two labels."""

    def __init__(self, shift=0.0):
        super().__init__()
        self.shift = torch.nn.Parameter(torch.tensor(shift))

    def forward(self, z, pos, batch, cell=None, pbc=None, charge=None, spin=None):
        size = int(batch.max()) + 1
        volume = pos.new_zeros(size) if cell is None else torch.linalg.det(cell) * pbc.all(1)
        charge = pos.new_zeros(size) if charge is None else charge
        logits = torch.stack([charge, self.shift - charge], 1)
        return {"volume": volume, "charged": charge, "kind": logits, "label": logits}


def parts(frames, size):
    for start in range(0, len(frames), size):
        yield from_atoms(frames[start : start + size])


def test_predictions_are_those_of_the_frames_alone(build, monkeypatch):
    monkeypatch.setattr(module, "EDGES", 150.0)
    frames = [molecule("CH4"), Atoms("H"), molecule("H2O"), molecule("CH3CH2OH")]
    model, inputs = build([1, 6, 8]), NetworkInputs((1, 6, 8), neighbours=16.0)
    done = list(predict_parts([model], inputs, GAP, parts(frames, 3)))
    values = np.concatenate([part.columns["gap"].data for part in done])
    alone = [
        model(torch.from_numpy(a.numbers).long(), torch.from_numpy(a.positions).float()).item()
        for a in frames
    ]
    assert values.tolist() == pytest.approx(alone)
    assert [part.index.tolist() for part in done] == [[0, 1, 2], [3]]
    assert done[0].columns["gap"].unit == "eV"


def test_graphs_are_bounded_by_their_edges(monkeypatch):
    monkeypatch.setattr(module, "EDGES", 10.0)
    ranges = list(module._ranges(np.array([4.0, 4.0, 4.0, 20.0, 1.0, 9.0])))
    assert ranges == [(0, 2), (2, 3), (3, 4), (4, 6)]
    assert list(module._ranges(np.array([]))) == []


def test_named_outputs_keep_their_names():
    frames = [molecule("CH4"), molecule("H2O")]
    targets = (Target("energy", unit="eV"), Target("charges", per="atom", unit="e"))
    inputs = NetworkInputs((1, 6, 8))
    (part,) = predict_parts([Named()], inputs, targets, parts(frames, 2))
    assert {name: column.data.shape for name, column in part.columns.items()} == {
        "energy": (2,),
        "charges": (8,),
        "dipole": (2, 3),
    }
    assert [part.columns[name].unit for name in ("energy", "charges")] == ["eV", "e"]
    assert part.columns["energy"].data[0] == 20.0
    assert part.rows("charges")[1].tolist() == [4.0, 0.5, 0.5]


def test_several_networks_give_a_mean_and_a_spread():
    frames = [molecule("CH4"), molecule("H2O")]
    models = [Named(weight) for weight in (1.0, 2.0, 6.0)]
    targets = (Target("energy", unit="eV"),)
    (part,) = predict_parts(models, NetworkInputs((1, 6, 8)), targets, parts(frames, 2))
    assert part.columns["energy"].data.tolist() == pytest.approx([30.0, 30.0])
    spread = np.std([10.0, 20.0, 60.0], ddof=1)
    assert part.columns["energy_std"].data.tolist() == pytest.approx([spread, spread])
    assert part.columns["energy_std"].unit == "eV"
    assert part.columns["charges_std"].per == "atom"


def test_cells_charges_and_classes():
    salt, water = bulk("NaCl", "rocksalt", 5.64), molecule("H2O")
    water.info["charge"] = 2
    targets = (
        Target("volume", unit="A^3"),
        Target("charged", unit="e"),
        Target("kind", "class", classes=("metal", "salt")),
        Target("label", "labels", classes=("wet", "dry")),
    )
    inputs = NetworkInputs((1, 8, 11, 17), cells=True, charge=True)
    models = [Crystals(), Crystals(1.0)]
    (part,) = predict_parts(models, inputs, targets, parts([salt, water], 2))
    data = {name: column.data for name, column in part.columns.items()}
    assert data["volume"] == pytest.approx([5.64**3 / 4, 0.0], rel=1e-6)
    assert data["charged"].tolist() == [0.0, 2.0]
    assert data["kind"].tolist() == ["salt", "metal"]
    first, second = 1 / (1 + np.exp(-4.0)), 1 / (1 + np.exp(-3.0))
    assert data["kind_probability"][1, 0] == pytest.approx((first + second) / 2)
    assert data["kind_std"][1] == pytest.approx((first - second) / np.sqrt(2))
    assert data["label"].tolist() == [[0, 1], [1, 0]]
    assert data["label_probability"][1, 0] == pytest.approx(1 / (1 + np.exp(-2.0)))


def test_bad_structures_are_errors_or_are_skipped():
    frames = [molecule("CH4"), molecule("SiH4"), molecule("H2O"), Atoms()]
    inputs = NetworkInputs((1, 6, 8))
    with pytest.raises(FramesError, match=r"^Frame 1 \(H4Si\) has Si, and .* on H, C, O alone"):
        list(predict_parts([Named()], inputs, GAP, parts(frames, 4)))
    (part,) = predict_parts([Named()], inputs, GAP, parts(frames, 4), skip_bad=True)
    assert part.index.tolist() == [0, 2]
    assert [words.split(" has ")[0] for words in part.skipped] == [
        "Frame 1 (H4Si)",
        "Frame 3 (empty)",
    ]
    (part,) = predict_parts([Named()], inputs, GAP, parts(frames[1:2], 4), skip_bad=True)
    assert len(part.index) == 0 and part.columns == {}


def test_what_is_unlike_the_training_set_is_noted():
    domain = domain_of(from_atoms([molecule("CH4"), molecule("H2O")]))
    domain = Domain.read(domain.as_dict())
    inputs = NetworkInputs((1, 6, 8), domain=domain)
    frames = [molecule("CH4"), molecule("CH3CH2OH")]
    (part,) = predict_parts([Named()], inputs, GAP, parts(frames, 2))
    assert part.notes == ["", "9 atoms, training had 3 to 5"]


@pytest.mark.parametrize("name", ["CH4", "H2O", "SiH4", "CH3CH2OH", "NaCl", "LiF", "C2H3", "Li2"])
def test_formulas_are_those_of_ase(name):
    atoms = molecule(name)
    assert formula(atoms.numbers) == atoms.get_chemical_formula()


def broken(change):
    atoms = molecule("H2O")
    change(atoms)
    return atoms


@pytest.mark.parametrize(
    ("atoms", "message"),
    [
        (molecule("SiH4"), "has Si, and the network was trained on H, C, O alone"),
        (
            broken(lambda a: a.positions.__setitem__((2, 0), np.nan)),
            "NaN or infinite: that of atom 2",
        ),
        (
            broken(lambda a: a.positions.__setitem__((1, 2), np.inf)),
            "NaN or infinite: that of atom 1",
        ),
        (broken(lambda a: a.set_pbc((True, False, False))), "is periodic"),
        (
            broken(lambda a: a.positions.__setitem__(2, a.positions[0])),
            "atoms 0 and 2 in one place",
        ),
        (broken(lambda a: a.info.update(charge=-1)), "has the charge -1, .* --ignore-charge"),
        (broken(lambda a: a.info.update(spin=3)), "has the spin 3, .* --ignore-spin"),
        (broken(lambda a: a.set_initial_charges([-1.0, 0.0, 0.0])), "has the charge -1"),
        (Atoms(), "has no atoms"),
    ],
)
def test_a_structure_without_a_right_answer_is_found(atoms, message):
    reasons = faults(from_atoms([molecule("CH4"), atoms]), NetworkInputs((1, 6, 8)))
    assert list(reasons) == [1]
    assert re.search(message, reasons[1])


def test_charges_that_training_had_or_that_are_ignored_are_no_fault():
    ion = broken(lambda a: a.info.update(charge=-1, spin=2))
    structures = from_atoms([ion])
    domain = Domain(2, {}, (1, 9), charges=(-1.0,), spins=(2.0,))
    assert faults(structures, NetworkInputs((1, 8), domain=domain)) == {}
    ignored = frozenset(("charge", "spin"))
    assert faults(structures, NetworkInputs((1, 8), ignored=ignored)) == {}
    assert faults(structures, NetworkInputs((1, 8), charge=True, spin=True)) == {}


def test_cells_and_dipoles_of_charges_do_not_go_together():
    salt = from_atoms([bulk("NaCl", "rocksalt", 5.64)])
    inputs = NetworkInputs((11, 17), cells=True, dipoles=True)
    assert "dipoles of charges" in faults(salt, inputs)[0]
    assert faults(salt, NetworkInputs((11, 17), cells=True)) == {}
