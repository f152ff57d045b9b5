"""The reader of qm9pack's files, on files that the test writes."""

import ast
import importlib.util

import numpy as np
import pytest

from steerable.data.molecules.qm9_source import read_source, source_files


def test_the_rows_become_arrays(source, rows):
    table = read_source(source_files(source))
    assert table["gdb"].tolist() == [1, 3, 4]
    assert table["smiles"].tolist() == [b"C", b"O", b"C#C"]
    assert table["start"].tolist() == [0, 5, 8, 12]
    assert table["z"].tolist() == [6, 1, 1, 1, 1, 8, 1, 1, 6, 6, 1, 1]
    assert table["pos"].dtype == np.float32
    written = [place for row in rows for place in np.ravel(ast.literal_eval(row["XYZ_Ang"]))]
    np.testing.assert_allclose(table["pos"].ravel(), written, rtol=1e-7)
    assert table["targets"].dtype == np.float64
    assert table["targets"].shape == (3, 19)
    assert table["targets"][1, 0] == 1.8511
    assert table["targets"][1, 7] == pytest.approx(-76.404702 * 27.211386246, abs=1e-9)


def test_a_folder_without_the_files_is_an_error(tmp_path):
    with pytest.raises(
        ValueError, match=rf"needs the files qm9_part\*.csv in {tmp_path} and none is"
    ):
        source_files(tmp_path)


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        ValueError, match=r"qm9pack and it is not there: pip install 'steerable\[qm9\]'"
    ):
        source_files(None)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("Elements", "['C','H','H','H']", "5 atoms have 4 elements and 15 coordinates"),
        ("Elements", "['C','H','H','H','Qq']", "KeyError.*Qq"),
        ("N_atoms", "4", "4 atoms have 5 elements"),
        ("XYZ_Ang", "[[0.1,0.2,0.3]]", "5 elements and 3 coordinates"),
        ("XYZ_Ang", "[[0.1,0.2,", "could not convert"),
        ("HOMO_au", "nan", "not finite"),
        ("HOMO_au", "", "could not convert"),
        ("Index", "0", "molecule 0 comes after molecule 0"),
    ],
)
def test_a_bad_row_is_named(source, write, rows, column, value, message):
    write(source / "qm9_part1.csv", rows[0] | {column: value}, rows[1])
    with pytest.raises(
        ValueError,
        match=rf"qm9_part1.csv, line 2: this is not the next molecule of QM9 .*{message}",
    ):
        read_source(source_files(source))


def test_a_molecule_that_comes_twice_is_an_error(source, write, rows):
    write(source / "qm9_part2.csv", rows[1])
    with pytest.raises(
        ValueError, match="qm9_part2.csv, line 2: .*molecule 3 comes after molecule 3"
    ):
        read_source(source_files(source))


def test_a_file_that_breaks_off_is_an_error(source):
    path = source / "qm9_part2.csv"
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(ValueError, match="qm9_part2.csv, line 2"):
        read_source(source_files(source))


def test_files_without_a_molecule_are_an_error(source, write):
    for path in source_files(source):
        write(path)
    with pytest.raises(ValueError, match="there is no molecule in"):
        read_source(source_files(source))
