import numpy as np
import pytest
from ase.io import read as ase_read

from data.structures.compare import assert_same
from data.structures.readers.extxyz.test_reader import random_atoms
from steerable.data.structures import (
    Column,
    Structures,
    concatenate,
    convert,
    from_atoms,
    read,
    read_parts,
    write,
)

TARGETS = ["a.extxyz", "a.xyz.gz", "a.db", "a.json", "a.npz"]


def everything(seed=0, frames=12):
    """Structures with quantities of every type, units, and what is missing."""
    generator = np.random.default_rng(seed)
    sizes = generator.integers(1, 7, frames)
    atoms = int(sizes.sum())
    numbers = generator.normal(size=frames) * 10.0 ** generator.integers(-300, 300, frames)
    is_known = np.arange(frames) % 3 > 0
    of_known = np.repeat(is_known, sizes)
    numbers[0], numbers[1] = -0.0, 5e-324
    forces = generator.normal(size=(atoms, 3)) / 3
    forces[~of_known] = np.nan
    stress = generator.normal(size=(frames, 3, 3))
    words = np.array(["a b", "007", 'quote "q" \\ \'s', "T", "line\nline", "_JSON [1, 2]"])
    periodic = np.arange(frames) % 2 > 0
    structures = Structures(
        generator.integers(1, 90, atoms),
        generator.normal(size=(atoms, 3)) / 7,
        np.concatenate([[0], sizes.cumsum()]),
        generator.normal(size=(frames, 3, 3)) * periodic[:, None, None],
        periodic[:, None] & (generator.integers(0, 2, (frames, 3)) > 0),
    )
    return structures.with_columns(
        {
            "energy": Column(numbers + 0.0, unit="eV"),
            "REF_energy": Column(numbers[::-1].copy(), unit="kcal/mol"),
            "stress": Column(stress + stress.swapaxes(1, 2), unit="eV/Angstrom^3"),
            "virial": Column(stress, unit="eV"),
            "gap": Column(np.where(is_known, numbers, np.nan), known=is_known),
            "vector": Column(generator.normal(size=(frames, 3)), unit="Debye"),
            "one": Column(generator.normal(size=(frames, 1))),
            "tensor": Column(generator.normal(size=(frames, 3, 3))),
            "count": Column(generator.integers(-9, 9, frames)),
            "charge": Column(np.where(is_known, 1, 0), unit="e", known=is_known),
            "is_good": Column(is_known),
            "label": Column(words[np.arange(frames) % len(words)]),
            "an odd=key": Column(generator.normal(size=frames)),
            "forces": Column(forces, "atom", "eV/Angstrom", of_known),
            "born": Column(generator.normal(size=(atoms, 3, 3)), "atom", "e"),
            "site": Column(generator.integers(0, 9, atoms), "atom"),
            "is_fixed": Column(generator.integers(0, 2, (atoms, 3)) > 0, "atom"),
            "kind": Column(np.array(["x", "yy"])[generator.integers(0, 2, atoms)], "atom"),
        }
    )


@pytest.mark.parametrize("name", TARGETS)
def test_everything_survives_bit_for_bit(tmp_path, name):
    structures = everything()
    write(structures, tmp_path / name)
    assert_same(read(tmp_path / name), structures)


def test_everything_survives_a_chain_of_conversions(tmp_path):
    structures = everything(1)
    write(structures, tmp_path / "a.npz")
    for source, target in (
        ("a.npz", "b.extxyz"),
        ("b.extxyz", "c.db"),
        ("c.db", "d.xyz.xz"),
        ("d.xyz.xz", "e.json"),
        ("e.json", "f.npz"),
    ):
        convert(tmp_path / source, tmp_path / target)
    assert_same(read(tmp_path / "f.npz"), structures)


def test_ase_reads_what_is_written(tmp_path):
    atoms = random_atoms(0)
    write(from_atoms(atoms), tmp_path / "a.extxyz")
    back = ase_read(tmp_path / "a.extxyz", ":")
    assert_same(from_atoms(back).with_columns({}), from_atoms(atoms).with_columns({}))
    for one, other in zip(atoms, back, strict=True):
        del other.info["units"]
        assert set(one.info) == set(other.info)
        assert one.get_potential_energy() == other.get_potential_energy()
        assert np.array_equal(one.get_forces(), other.get_forces())
        assert np.array_equal(one.get_stress(), other.get_stress())
        for name, value in one.info.items():
            assert np.array_equal(value, other.info[name]), name


def test_parts_are_written_as_one(tmp_path):
    structures = everything(2)
    for name in TARGETS:
        write((structures.select([k]) for k in range(len(structures))), tmp_path / name)
        assert_same(read(tmp_path / name), structures)
        assert_same(concatenate(read_parts(tmp_path / name, 5)), structures)


def failing():
    yield everything()
    raise RuntimeError("the source breaks")


@pytest.mark.parametrize("name", TARGETS)
def test_a_failure_leaves_the_old_file(tmp_path, name):
    path = tmp_path / name
    path.write_text("old")
    with pytest.raises(RuntimeError, match="breaks"):
        write(failing(), path)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("name", "column", "words"),
    [
        ("pbc", Column(np.zeros(1)), "no place for 'pbc'"),
        ("pos", Column(np.zeros(1), "atom"), "no place for 'pos'"),
        ("a:b", Column(np.zeros(1), "atom"), "no place for 'a:b'"),
        ("word", Column(np.array(["a b"]), "atom"), "no place for the text 'a b'"),
    ],
)
def test_what_extended_xyz_cannot_hold(tmp_path, name, column, words):
    one = from_atoms(random_atoms(0)[:1]).select([0])
    one = Structures(one.z[:1], one.pos[:1], np.array([0, 1]), one.cell, one.pbc, {name: column})
    with pytest.raises(ValueError, match=words):
        write(one, tmp_path / "a.xyz")
    assert not list(tmp_path.iterdir())


def test_unknown_formats(tmp_path):
    with pytest.raises(ValueError, match=r"\*.xyz"):
        write(everything(), tmp_path / "a.pdf")
    with pytest.raises(ValueError, match=r"\*.xyz"):
        write(everything(), tmp_path / "a.db.gz")
    with pytest.raises(ValueError, match="'pdf'"):
        write(everything(), tmp_path / "a.xyz", "pdf")
