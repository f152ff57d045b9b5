import ase.db
import numpy as np
import pytest
from ase.build import molecule
from ase.calculators.singlepoint import SinglePointCalculator

from steerable.data.structures import ReadError, read, read_parts


@pytest.mark.parametrize("name", ["a.db", "a.json"])
def test_pairs_data_and_results(tmp_path, name):
    path = tmp_path / name
    with ase.db.connect(path) as database:
        for k, title in enumerate(["H2O", "NH3", "CH4"]):
            atoms = molecule(title)
            atoms.calc = SinglePointCalculator(
                atoms, energy=-k / 3, forces=np.ones((len(atoms), 3)) * k
            )
            database.write(
                atoms,
                key_value_pairs={"name": title, "gap": k / 7, "charge": k - 1, "is_polar": k < 2},
                data={"tensor": np.eye(3) * k, "shift": np.arange(len(atoms)) / 3},
            )
    structures = read(path)
    columns = structures.columns
    assert structures.sizes.tolist() == [3, 4, 5]
    assert columns["energy"].data.tolist() == [0, -1 / 3, -2 / 3]
    assert columns["energy"].unit == "eV"
    assert columns["name"].data.tolist() == ["H2O", "NH3", "CH4"]
    assert columns["gap"].data.tolist() == [0, 1 / 7, 2 / 7]
    assert columns["is_polar"].data.tolist() == [True, True, False]
    assert columns["charge"].data.tolist() == [-1, 0, 1]
    assert columns["tensor"].shape == (3, 3) and columns["tensor"].per == "structure"
    assert columns["shift"].per == columns["forces"].per == "atom"
    assert [len(part) for part in read_parts(path, 2)] == [2, 1]


def test_a_data_base_of_schnetpack(tmp_path):
    path = tmp_path / "a.db"
    with ase.db.connect(path) as database:
        for k in range(3):
            atoms = molecule("H2O")
            forces = np.full((3, 3), k / 3)
            database.write(atoms, data={"energy": np.array([k / 7]), "forces": forces})
        units = {"energy": "kcal/mol", "forces": "kcal/mol/Ang"}
        database.metadata = {"_property_unit_dict": units, "_distance_unit": "Ang"}
    columns = read(path).columns
    assert columns["energy"].data.tolist() == [0, 1 / 7, 2 / 7]
    assert columns["energy"].unit == "kcal/mol"
    assert columns["forces"].per == "atom" and columns["forces"].unit == "kcal/mol/Ang"


def test_a_file_that_is_no_data_base(tmp_path):
    for name in ("a.db", "a.json"):
        (tmp_path / name).write_text("nothing of interest " * 100)
        with pytest.raises(ReadError, match="cannot be read as a data base of ASE beyond row 0"):
            read(tmp_path / name)


def test_units_of_schnetpack_that_are_no_texts(tmp_path):
    with ase.db.connect(tmp_path / "ions.db") as database:
        database.write(molecule("OH"), data={"energy": [-13.6], "total_charge": [0.0]})
        database.metadata = {"_property_unit_dict": {"energy": "eV", "total_charge": 1.0}}
    columns = read(tmp_path / "ions.db").columns
    assert (columns["energy"].unit, columns["total_charge"].unit) == ("eV", "")
