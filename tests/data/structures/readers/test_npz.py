import numpy as np
import pytest

from data.structures.shared import shared_path
from steerable.data.structures import ReadError, read


@pytest.fixture
def random():
    return np.random.default_rng(0)


@pytest.fixture
def save(tmp_path):
    def write(**arrays):
        path = tmp_path / "some.npz"
        np.savez(path, **arrays)
        return path

    return write


def test_md17(save, random):
    pos, forces = random.normal(size=(5, 4, 3)), random.normal(size=(5, 4, 3))
    energy = random.normal(size=(5, 1))
    path = save(R=pos, z=np.array([6, 1, 1, 8], "u1"), E=energy, F=forces, name="x", type="d")
    ours = read(path)
    assert np.array_equal(ours.pos, pos.reshape(-1, 3))
    assert ours.z.tolist() == [6, 1, 1, 8] * 5 and ours.z.dtype == np.int64
    assert ours.sizes.tolist() == [4] * 5
    assert set(ours.columns) == {"energy", "forces"}
    assert np.array_equal(ours.column("energy").data, energy[:, 0])
    assert np.array_equal(ours.column("forces").data, forces.reshape(-1, 3))
    assert ours.column("energy").unit == "kcal/mol"
    assert ours.column("forces").unit == "kcal/mol/Angstrom"
    assert not ours.pbc.any() and not ours.cell.any()


def test_sgdml_says_its_units(save, random):
    arrays = {"R": random.normal(size=(2, 3, 3)), "z": np.array([8, 1, 1]), "E": np.zeros(2)}
    ours = read(save(**arrays, F=np.zeros((2, 3, 3)), e_unit="eV", r_unit="Ang"))
    assert ours.column("energy").unit == "eV"
    assert ours.column("forces").unit == "eV/Angstrom"


def test_rmd17(save, random):
    coords, forces = random.normal(size=(3, 3, 3)), random.normal(size=(3, 3, 3))
    path = save(
        nuclear_charges=np.array([8, 1, 1], "u1"),
        coords=coords,
        energies=np.arange(3.0),
        forces=forces,
        old_indices=np.array([7, 5, 6]),
    )
    ours = read(path)
    assert ours.column("energy").unit == "kcal/mol"
    assert np.array_equal(ours.column("forces").data, forces.reshape(-1, 3))
    assert ours.column("old_indices").data.tolist() == [7, 5, 6]


def test_physnet_pads_its_frames(save, random):
    forces = random.normal(size=(2, 3, 3))
    path = save(
        N=[3, 2],
        Z=[[8, 1, 1], [1, 1, 0]],
        R=random.normal(size=(2, 3, 3)),
        E=np.array([-1.0, -2.0]),
        F=forces,
        D=np.ones((2, 3)),
        Q=np.array([0.0, 1.0]),
    )
    ours = read(path)
    assert ours.z.tolist() == [8, 1, 1, 1, 1] and ours.sizes.tolist() == [3, 2]
    assert np.array_equal(ours.column("forces").data, forces.reshape(-1, 3)[:5])
    assert ours.column("dipole").per == "structure" and ours.column("dipole").shape == (3,)
    assert ours.column("charge").data.tolist() == [0, 1]
    assert "N" not in ours.columns and ours.column("energy").unit == "eV"


def test_frames_of_any_names(save, random):
    values = random.normal(size=(2, 4))
    values[1, 2] = np.nan
    path = save(
        positions=random.normal(size=(2, 4, 3)).astype("f4"),
        numbers=np.array(["C", "H", "H", "O"]),
        gap=np.array([1.0, np.nan]),
        shielding=values,
        polarizability=np.ones((2, 3, 3)),
        quadrupole=np.ones((2, 9)),
        label=np.array(["a", "b"]),
        cell=np.diag([4.0, 5, 0]),
        level=3,
    )
    ours = read(path)
    assert ours.z.tolist() == [6, 1, 1, 8] * 2
    assert ours.column("gap").missing.tolist() == [False, True]
    assert ours.column("shielding").per == "atom"
    assert ours.column("shielding").missing.tolist() == [False] * 6 + [True, False]
    assert ours.column("polarizability").shape == (3, 3)
    assert ours.column("quadrupole").shape == (9,)
    assert ours.column("label").data.tolist() == ["a", "b"]
    assert ours.pbc.tolist() == [[True, True, False]] * 2
    assert "level" not in ours.columns and ours.column("gap").unit == ""


@pytest.mark.parametrize("name", ["energies", "tensor", "forces"])
def test_three_atoms_are_no_vector_unless_the_name_says_so(save, random, name):
    ours = read(save(pos=random.normal(size=(2, 3, 3)), z=[8, 1, 1], **{name: np.ones((2, 3, 3))}))
    assert ours.column(name).per == ("atom" if name == "forces" else "structure")


@pytest.mark.parametrize("extent", [{"sizes": [2, 1, 3]}, {"ends": [0, 2, 3, 6]}])
def test_atoms_that_follow_each_other(save, random, extent):
    pos = random.normal(size=(6, 3))
    path = save(pos=pos, z=[1, 1, 2, 8, 1, 1], y=[1, 2, 3], f=random.normal(size=(6, 3)), **extent)
    ours = read(path)
    assert ours.sizes.tolist() == [2, 1, 3] and np.array_equal(ours.pos, pos)
    assert ours.column("y").per == "structure" and ours.column("f").per == "atom"


def test_one_structure(save, random):
    ours = read(save(pos=random.normal(size=(4, 3)), z=[6, 1, 1, 8], y=1.5, charges=np.ones(4)))
    assert ours.sizes.tolist() == [4] and ours.column("y").data.tolist() == [1.5]
    assert ours.column("charges").per == "atom"


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"a": np.ones(2)}, "there are the arrays a; wanted atomic numbers"),
        ({"z": [1, 1], "pos": np.ones((2, 3, 3))}, r"'pos' \(2, 3, 3\) .* 'z' \(2,\) do not fit"),
        ({"z": ["Xy"], "pos": np.ones((2, 1, 3))}, "'Xy', which is no element"),
        ({"z": [1, 1], "pos": np.ones((2, 3)), "sizes": [3]}, "add up to 2 atoms"),
        ({"z": [1], "pos": np.ones((2, 1, 3)), "cell": np.ones((3, 2))}, "cells have the shape"),
        ({"z": [1], "pos": np.array([None])}, "cannot be read"),
    ],
)
def test_what_cannot_be_read(save, arrays, words):
    with pytest.raises(ReadError, match=words) as error:
        read(save(**arrays))
    assert "some.npz" in str(error.value)


def test_a_file_that_is_cut(save):
    path = save(z=[1], pos=np.ones((200, 1, 3)))
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ReadError, match="some.npz"):
        read(path)


def test_the_file_of_rmd17():
    path = shared_path("forces", "rmd17", "rmd17_aspirin_train_01.npz")
    ours = read(path)
    assert len(ours) == 1000 and set(ours.sizes) == {21}
    with np.load(path) as arrays:
        assert np.array_equal(ours.column("forces").data, arrays["forces"].reshape(-1, 3))
        assert np.array_equal(ours.column("energy").data, arrays["energies"])
    assert ours.column("energy").unit == "kcal/mol"
