import numpy as np
import pytest

from data.structures.shared import shared_path
from steerable.data.structures import ReadError, read


@pytest.fixture
def random():
    return np.random.default_rng(0)


def save(folder, *sets, types="0 1 1", names="O\nH\n", **files):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "type.raw").write_text(types)
    if names:
        (folder / "type_map.raw").write_text(names)
    for name, text in files.items():
        (folder / name).write_text(text)
    for k, arrays in enumerate(sets):
        one = folder / f"set.{k:03d}"
        one.mkdir()
        for name, values in arrays.items():
            np.save(one / f"{name}.npy", values)
    return folder


def frames(random, count, **more):
    return {"coord": random.normal(size=(count, 9)), "energy": random.normal(size=count), **more}


def test_frames_of_several_sets(tmp_path, random):
    forces, box = random.normal(size=(2, 9)), random.normal(size=(2, 9))
    one = frames(random, 2, force=forces, box=box, virial=random.normal(size=(2, 9)))
    two = frames(random, 3, box=random.normal(size=(3, 9)))
    ours = read(save(tmp_path / "water", one, two))
    assert len(ours) == 5 and ours.z.tolist() == [8, 1, 1] * 5
    assert np.array_equal(ours.pos[:6], one["coord"].reshape(-1, 3))
    assert np.array_equal(ours.cell[:2], box.reshape(2, 3, 3)) and ours.pbc.all()
    assert np.array_equal(ours.column("forces").data[:6], forces.reshape(-1, 3))
    assert ours.column("forces").missing.tolist() == [False] * 6 + [True] * 9
    assert ours.column("energy").unit == "eV" and ours.column("virial").shape == (3, 3)
    assert ours.source.tolist() == ["water"] * 5 and ours.frame.tolist() == [0, 1, 2, 3, 4]


def test_frames_without_repetition(tmp_path, random):
    box = np.tile(np.eye(3).ravel() * 9, (2, 1))
    assert not read(save(tmp_path / "a", frames(random, 2))).pbc.any()
    ours = read(save(tmp_path / "b", frames(random, 2, box=box), nopbc=""))
    assert not ours.pbc.any() and not ours.cell.any()


def test_quantities_of_atoms(tmp_path, random):
    more = {
        "atomic_dipole": random.normal(size=(2, 9)),
        "atomic_polarizability": random.normal(size=(2, 27)),
        "atom_ener": random.normal(size=(2, 3)),
        "dipole": random.normal(size=(2, 3)),
        "polarizability": random.normal(size=(2, 9)),
        "fparam": random.normal(size=(2, 2)),
    }
    ours = read(save(tmp_path / "water", frames(random, 2, **more)))
    shapes = {name: (ours.column(name).per, ours.column(name).shape) for name in ours.columns}
    assert shapes == {
        "energy": ("structure", ()),
        "atomic_dipole": ("atom", (3,)),
        "atomic_polarizability": ("atom", (3, 3)),
        "energies": ("atom", ()),
        "dipole": ("structure", (3,)),
        "polarizability": ("structure", (3, 3)),
        "fparam": ("structure", (2,)),
    }
    assert np.array_equal(ours.column("atomic_dipole").data, more["atomic_dipole"].reshape(-1, 3))


def test_types_of_each_frame(tmp_path, random):
    mixed = frames(random, 2, real_atom_types=np.array([[1, 0, 1], [0, 0, -1]]))
    ours = read(save(tmp_path / "mixed", mixed, types="0 0 0"))
    assert ours.z.tolist() == [1, 8, 1, 8, 8] and ours.sizes.tolist() == [3, 2]


def test_a_folder_of_systems(tmp_path, random):
    save(tmp_path / "all" / "b", frames(random, 2))
    save(tmp_path / "all" / "a", frames(random, 1), types="1 1 1")
    ours = read(tmp_path / "all")
    assert ours.z.tolist() == [1, 1, 1, 8, 1, 1, 8, 1, 1]
    assert ours.source.tolist() == ["all/a", "all/b", "all/b"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"names": ""}, "no type_map.raw"),
        ({"names": "O\nXq"}, "'Xq' is no element"),
        ({"types": "0 1 2"}, "of type 2"),
        ({"types": "0 1"}, "coord.npy has 3 atoms and type.raw 2"),
    ],
)
def test_folders_that_cannot_be_read(tmp_path, random, options, words):
    with pytest.raises(ReadError, match=words):
        read(save(tmp_path / "water", {"coord": random.normal(size=(2, 9))}, **options))


def test_frames_that_are_missing(tmp_path, random):
    with pytest.raises(ReadError, match=r"energy.npy has 1 frames and coord.npy 2"):
        read(save(tmp_path / "a", frames(random, 2, energy=np.zeros(1))))
    with pytest.raises(ReadError, match=r"no coord.npy"):
        read(save(tmp_path / "b", {"energy": np.zeros(1)}))
    with pytest.raises(ReadError, match=r"no folder set.000"):
        read(save(tmp_path / "c"))


def test_water_with_dipoles_of_atoms():
    folder = shared_path("forces", "deepmd", "examples", "water_tensor", "dipole")
    ours = read(folder / "training_data_reformat" / "atomic_system")
    assert len(ours) == 80 and ours.column("atomic_dipole").per == "atom"
    arrays = folder / "training_data_reformat" / "atomic_system" / "set.000"
    assert np.array_equal(
        ours.column("atomic_dipole").data, np.load(arrays / "atomic_dipole.npy").reshape(-1, 3)
    )
    assert (ours.z == 8).sum() * 2 == (ours.z == 1).sum() and ours.pbc.all()


def test_molecules_without_cells():
    ours = read(shared_path("forces", "deepmd", "examples", "nopbc", "data"))
    assert len(ours) == 15 + 1562 + 485 and not ours.pbc.any()
    assert ours.column("forces").data.shape == ours.pos.shape
