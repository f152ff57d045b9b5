import bz2
import gzip
import lzma
import os
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read as ase_read
from ase.io import write as ase_write

from data.structures.compare import assert_same
from steerable.data.structures import ReadError, from_atoms, read, read_parts

FORCES = Path(os.environ.get("STEERABLE_TEST_DATA", "absent")) / "forces"
FILES = sorted(FORCES.rglob("*.xyz")) or ["absent"]

ROWS = "O 0.0 0.0 0.1\nH 0.0 0.7 -0.4\n"
FRAME = "2\n{}\n" + ROWS


def random_atoms(seed, frames=30):
    """Frames of different sizes with labels, some periodic."""
    generator = np.random.default_rng(seed)
    result = []
    for k in range(frames):
        size = int(generator.integers(1, 9))
        atoms = Atoms(generator.choice([1, 6, 8, 17], size), generator.normal(size=(size, 3)) * 9)
        if k % 2:
            atoms.set_cell(generator.normal(size=(3, 3)))
            atoms.pbc = generator.integers(0, 2, 3)
        atoms.calc = SinglePointCalculator(
            atoms,
            energy=float(generator.normal()),
            forces=generator.normal(size=(size, 3)),
            stress=generator.normal(size=6),
        )
        atoms.info = {
            "REF_energy": float(generator.normal()),
            "config type": f"a {k % 3}",
            "vector": generator.normal(size=3),
            "matrix": generator.normal(size=(2, 2)),
            "count": k,
            "is_even": k % 2 == 0,
            "flags": np.array([True, k % 2 == 0]),
            f"only_{k % 4}": 1.5,
        }
        atoms.set_array("tag", generator.integers(-5, 5, size))
        atoms.set_array("label", np.array(["x", "yy", "zzz"])[generator.integers(0, 3, size)])
        atoms.set_array("is_fixed", generator.integers(0, 2, size).astype(bool))
        result.append(atoms)
    return result


def written(tmp_path, text, name="a.xyz"):
    path = tmp_path / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("seed", range(3))
def test_equals_ase(tmp_path, seed):
    path = tmp_path / "a.extxyz"
    ase_write(path, random_atoms(seed))
    assert_same(read(path), from_atoms(ase_read(path, ":")))


def test_rows_of_equal_width_equal_ase(tmp_path):
    atoms = random_atoms(0)
    for one in atoms:
        for name in ("tag", "label", "is_fixed"):
            del one.arrays[name]
    path = tmp_path / "a.xyz"
    ase_write(path, atoms, format="extxyz")
    assert_same(read(path), from_atoms(ase_read(path, ":")))


@pytest.mark.parametrize("path", FILES, ids=lambda path: Path(path).stem)
def test_shared_files_equal_ase(path):
    if path == "absent":
        pytest.skip("shared data is absent: STEERABLE_TEST_DATA names its folder")
    assert_same(read(path), from_atoms(ase_read(path, ":", format="extxyz")))


@pytest.mark.parametrize(
    "comment",
    [
        "",
        "energy=-1.5",
        "energy=-1 dipole='0.1 0.2 0.3'",
        'name="two words" flag other=F',
        'Lattice="1 2 3 4 5 6 7 8 10"',
        'Lattice="1 2 3 4 5 6 7 8 10" pbc="T F T"',
        'pbc=T Lattice="1 0 0 0 1 0 0 0 1"',
        'virial="1 2 3 4 5 6 7 8 9" stress="1.5 2 3 2 5 6 3 6 9"',
        "list=[1, 2, 3] other={4 5}",
        r'quoted="a \"word\" in it" back="a\\b"',
        "i = 12, time = 3.000, E = -17.25",  # as CP2K writes it
        "smiles=C#N(O) number=1e-3",
        'json="_JSON [[1, 2], [3, 4]]" object="_JSON {\\"a\\": 1}"',
        "underscores=1_2 large=12345678901234567890 inf=inf",
        "uid=123 truths='T F' words='T F x'",
        "key=a=b x==1",
        "Properties=species:S:1:pos:R:3 after=2",
        "ü=1 ångström='Å'",
    ],
)
def test_comments_equal_ase(tmp_path, comment):
    path = written(tmp_path, FRAME.format(comment) * 2)
    atoms = ase_read(path, ":", format="extxyz")
    for one in atoms:
        one.info = {key: value for key, value in one.info.items() if np.size(value)}
    ours = read(path)
    columns = {
        name: column
        for name, column in ours.columns.items()
        if column.data.dtype.kind != "U" or any(column.data)
    }
    assert_same(ours.with_columns(columns), from_atoms(atoms))


def test_free_text_is_a_comment(tmp_path):
    path = written(tmp_path, FRAME.format("made on a Monday") + FRAME.format("two"))
    assert read(path).columns["comment"].data.tolist() == ["made on a Monday", "two"]


def test_stress_of_six_numbers(tmp_path):
    path = written(tmp_path, FRAME.format('stress="1 2 3 4 5 6"'))
    assert read(path).columns["stress"].data[0].tolist() == [[1, 6, 5], [6, 2, 4], [5, 4, 3]]


def test_different_keys_and_missing_numbers(tmp_path):
    path = written(
        tmp_path,
        FRAME.format("energy=1 REF_energy=2")
        + FRAME.format("energy=nan")
        + FRAME.format('list="1 2"')
        + FRAME.format('list="1 2 3"'),
    )
    columns = read(path).columns
    assert columns["energy"].missing.tolist() == [False, True, True, True]
    assert columns["energy"].unit == "eV" and columns["REF_energy"].unit == ""
    assert columns["REF_energy"].missing.tolist() == [False, True, True, True]
    assert columns["list"].data.tolist() == ["", "", "_JSON [1, 2]", "_JSON [1, 2, 3]"]


def test_different_properties(tmp_path):
    forces = "1\nProperties=species:S:1:pos:R:3:forces:R:3\nH 1 2 3 4 5 6\n"
    numbers = "1\nProperties=Z:I:1:pos:R:3\n8 1 2 3\n"
    structures = read(written(tmp_path, numbers + forces + numbers))
    assert structures.z.tolist() == [8, 1, 8]
    assert structures.columns["forces"].missing.tolist() == [True, False, True]
    assert structures.columns["forces"].data[1].tolist() == [4, 5, 6]


def test_units_of_the_file(tmp_path):
    comment = """energy=1 units='{"energy": "kcal/mol"}'"""
    columns = read(written(tmp_path, FRAME.format(comment))).columns
    assert columns["energy"].unit == "kcal/mol" and "units" not in columns


def test_vectors_of_adf(tmp_path):
    path = written(tmp_path, FRAME.format("a comment=1") + "VEC1 3 0 0\nVEC2 0 4 0\n")
    structures, atoms = read(path), ase_read(path, format="extxyz")
    assert np.array_equal(structures.cell[0], atoms.cell.array)
    assert np.array_equal(structures.pbc[0], atoms.pbc)
    assert structures.columns["comment"].data[0] == atoms.info["comment"]


def test_exact_numbers(tmp_path):
    numbers = [
        "0.1",
        "-0.00000000",
        "123456789.12345678",
        "1e-300",
        "5e-324",
        "1.7976931348623157e308",
    ]
    for first in numbers:
        text = f"1\n\nH {first} 0.30000000000000004 -1234567890.1234567\n"
        x = read(written(tmp_path, text)).pos[0]
        assert x.tolist() == [float(first), 0.30000000000000004, -1234567890.1234567]
        assert np.signbit(x[0]) == first.startswith("-")


@pytest.mark.parametrize(("suffix", "opener"), [("gz", gzip), ("bz2", bz2), ("xz", lzma)])
def test_compressed(tmp_path, suffix, opener):
    path = tmp_path / f"a.xyz.{suffix}"
    with opener.open(path, "wt") as stream:
        stream.write(FRAME.format("energy=1"))
    structures = read(path)
    assert structures.z.tolist() == [8, 1] and structures.source[0] == path.name


def test_windows_lines_blank_lines_and_no_last_newline(tmp_path):
    text = (FRAME.format("energy=1") + "\n\n" + FRAME.format("energy=2")).rstrip("\n")
    plain = read(written(tmp_path, text))
    assert plain.columns["energy"].data.tolist() == [1, 2]
    path = tmp_path / "b.xyz"
    path.write_bytes(text.replace("\n", "\r\n").encode())
    assert_same(read(path), plain)


def test_parts_have_one_size(tmp_path):
    path = written(tmp_path, "".join(FRAME.format(f"count={k}") for k in range(2500)))
    parts = list(read_parts(path, 700))
    assert [len(part) for part in parts] == [700, 700, 700, 400]
    frames = np.concatenate([part.frame for part in parts])
    counts = np.concatenate([part.columns["count"].data for part in parts])
    assert np.array_equal(frames, np.arange(2500)) and np.array_equal(counts, frames)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (FRAME.format("") + "2\n\nO 0 0 0\n", "frame 1: the file ends after 1 of its 2 atoms"),
        (FRAME.format("") + "2\n\nO 0 0 0\nH 0 0", "frame 1, atom 1: the row has 3 of 4 columns"),
        (FRAME.format("") + "2\n", "frame 1: the file ends after 0"),
        (FRAME.format("") + "O 0 0 0\n", "frame 1: a frame begins with a line of its number"),
        (FRAME.format("") + FRAME.format("").replace("0.7", "x"), "frame 1, atom 1: positions is"),
        (FRAME.format("") + FRAME.format("").replace("H", "Qq"), "frame 1, atom 1: 'Qq' is no"),
        (FRAME.format('Lattice="1 2 3"'), "frame 0: Lattice is nine numbers; got '1 2 3'"),
        (FRAME.format('pbc="1.5 a"'), "frame 0: pbc is three of T and F"),
        (FRAME.format("Properties=species:S:1"), "frame 0: there is no pos"),
        (FRAME.format("Properties=species:Q:1:pos:R:3"), "species:Q:1"),
        (FRAME.format("units='{energy}'"), "frame 0: units are JSON"),
        ("\n\n", "no structures"),
    ],
)
def test_broken_files_are_named(tmp_path, text, words):
    with pytest.raises(ReadError) as error:
        read(written(tmp_path, text))
    assert words in str(error.value) and "a.xyz" in str(error.value)
    assert "\n" not in str(error.value)


def test_one_row_has_a_column_too_many_and_one_too_few(tmp_path):
    text = "2\n\nO 0.0 0.0 0.1 9\nH 0.0 0.7\n"
    with pytest.raises(ReadError, match="atom 1: the row has 3"):
        read(written(tmp_path, text))
