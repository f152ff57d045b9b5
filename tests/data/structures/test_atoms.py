import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator

from data.structures.compare import assert_same
from steerable.data.structures import from_atoms, to_atoms


@pytest.fixture
def water():
    atoms = molecule("H2O")
    atoms.calc = SinglePointCalculator(
        atoms, energy=-1.5, forces=np.arange(9.0).reshape(3, 3), dipole=np.array([0.1, 0.2, 0.3])
    )
    atoms.info = {"name": "water", "charge": 1, "tensor": np.arange(4.0).reshape(2, 2)}
    atoms.set_array("site", np.array(["a", "b", "c"]))
    return atoms


@pytest.fixture
def copper():
    atoms = bulk("Cu")
    atoms.calc = SinglePointCalculator(atoms, energy=-2.5, stress=np.arange(6.0))
    atoms.info = {"name": "copper", "is_metal": True}
    return atoms


def test_quantities_become_columns(water, copper):
    structures = from_atoms([water, copper])
    assert structures.z.tolist() == [8, 1, 1, 29]
    assert structures.pbc.tolist() == [[False] * 3, [True] * 3]
    assert np.array_equal(structures.cell[1], copper.cell.array)
    assert structures.columns["energy"].data.tolist() == [-1.5, -2.5]
    assert structures.columns["energy"].unit == "eV"
    assert structures.columns["name"].data.tolist() == ["water", "copper"]
    assert structures.columns["forces"].missing.tolist() == [False] * 3 + [True]
    assert structures.columns["forces"].unit == "eV/Angstrom"
    assert structures.columns["is_metal"].missing.tolist() == [True, False]
    assert structures.columns["tensor"].shape == (2, 2)
    full = [[0, 5, 4], [5, 1, 3], [4, 3, 2]]
    assert structures.columns["stress"].data[1].tolist() == full


def test_atoms_survive_the_way_there_and_back(water, copper):
    back = to_atoms(from_atoms([water, copper]))
    for one, other in zip([water, copper], back, strict=True):
        assert one == other
        assert set(one.arrays) == set(other.arrays) and set(one.info) == set(other.info)
        assert one.get_potential_energy() == other.get_potential_energy()
        for name, value in one.calc.results.items():
            assert np.array_equal(value, other.calc.results[name])
    assert back[0].arrays["site"].tolist() == ["a", "b", "c"]
    assert back[0].info["charge"] == 1 and back[1].info["is_metal"]
    assert_same(from_atoms(back), from_atoms([water, copper]))


def test_nothing_is_computed():
    atoms = molecule("N2")
    atoms.calc = EMT()
    assert not from_atoms([atoms]).columns
    energy = atoms.get_potential_energy()
    assert from_atoms([atoms]).columns["energy"].data[0] == energy
    atoms.positions += np.arange(6.0).reshape(2, 3)  # the result is of other positions now
    assert "energy" not in from_atoms([atoms]).columns


def test_values_of_different_shapes_become_texts_and_come_back():
    one, other = molecule("H2"), molecule("H2")
    one.info = {"list": [1.0, 2.0], "table": {"a": [1, 2]}, "mixed": 1}
    other.info = {"list": [1.0, 2.0, 0.1], "table": {}, "mixed": "one"}
    back = to_atoms(from_atoms([one, other]))
    assert [atoms.info["list"] for atoms in back] == [[1.0, 2.0], [1.0, 2.0, 0.1]]
    assert [atoms.info["table"] for atoms in back] == [{"a": [1, 2]}, {}]
    assert [atoms.info["mixed"] for atoms in back] == ["1", "one"]


def test_missing_numbers_are_left_out(water):
    other = molecule("H2")
    other.info["energy"] = np.nan
    structures = from_atoms([water, other])
    assert structures.columns["energy"].missing.tolist() == [False, True]
    assert to_atoms(structures)[1].calc is None


def test_a_name_of_two_quantities():
    atoms = molecule("H2")
    atoms.info["energy"] = 2.0
    atoms.calc = SinglePointCalculator(atoms, energy=1.0)
    columns = from_atoms([atoms]).columns
    assert columns["energy"].data[0] == 1.0 and columns["info_energy"].data[0] == 2.0


def test_arrays_of_two_shapes_are_refused():
    one, other = molecule("H2"), molecule("H2")
    one.set_array("a", np.zeros(2))
    other.set_array("a", np.zeros((2, 3)))
    with pytest.raises(ValueError, match="shapes"):
        from_atoms([one, other])


def test_no_atoms():
    assert len(from_atoms([])) == 0
    structures = from_atoms([Atoms(), molecule("H2")])
    assert structures.ends.tolist() == [0, 0, 2]
    assert [len(atoms) for atoms in to_atoms(structures)] == [0, 2]
