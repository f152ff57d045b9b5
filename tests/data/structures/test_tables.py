import sys
import warnings

import numpy as np
import pytest
from ase.build import molecule
from ase.io import write

from steerable.data.structures import FailureWarning, ReadError, from_smiles, read, read_table


@pytest.fixture
def save(tmp_path):
    def write_text(text, name="table.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write_text


@pytest.fixture
def chem():
    return pytest.importorskip("rdkit.Chem", reason="rdkit is not installed")


def test_a_csv_of_smiles(save, chem):
    path = save("SMILES,logS,kind,n\nCCO,1.5,alcohol,3\n[NH4+],,ion,4\nC,-2,,5\n")
    ours = read(path)
    assert ours.sizes.tolist() == [9, 5, 5]
    assert ours.z[:3].tolist() == [6, 6, 8]
    assert ours.column("smiles").data.tolist() == ["CCO", "[NH4+]", "C"]
    assert ours.column("logS").missing.tolist() == [False, True, False]
    assert ours.column("logS").data[[0, 2]].tolist() == [1.5, -2]
    assert ours.column("kind").data.tolist() == ["alcohol", "ion", ""]
    assert ours.column("n").data.tolist() == [3, 4, 5]
    assert ours.column("charge").data.tolist() == [0, 1, 0]
    assert ours.column("spin").data.tolist() == [1, 1, 1]
    assert ours.name(0) == "CCO"
    assert ours.source.tolist() == ["table.csv"] * 3 and ours.frame.tolist() == [0, 1, 2]


def test_conformers_share_the_row(save, chem):
    path = save("smiles,y\nCCCCO,1\nOCCCC,2\nC,3\n")
    ours = read_table(path, conformers=3)
    assert ours.column("y").data.tolist() == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert ours.frame.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert ours.column("conformer").data.tolist() == [0, 1, 2] * 3
    assert len(set(ours.column("group").data[:6])) == 1  # two ways to write one molecule
    assert ours.column("group").data[6] != ours.column("group").data[0]
    assert ours.select([0]).pos.shape == (15, 3)
    assert not np.allclose(ours.select([0]).pos, ours.select([1]).pos)


def test_a_quantity_of_the_table_comes_before_a_computed_one(save, chem):
    ours = read(save("smiles,charge,name\n[NH4+],7,ammonium\n"))
    assert ours.column("charge").data.tolist() == [7]
    assert ours.name(0) == "ammonium"


def test_rows_without_a_molecule_are_listed(save, chem):
    path = save("smiles,y\nC,1\nC1CC,2\n\nCC,3\nO\nN,5\n")
    with pytest.warns(FailureWarning, match=r"2 of 5 rows were left out: row 1 \(C1CC\)") as record:
        ours = read(path)
    assert ours.column("y").data.tolist() == [1, 3, 5]
    assert ours.frame.tolist() == [0, 2, 4]
    assert [failure.row for failure in record[0].message.failures] == [1, 3]
    failures = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_table(path, failures=failures)
    assert {(one.row, one.text) for one in failures} == {(3, "O"), (1, "C1CC")}
    assert "1 columns instead of 2" in failures[1].reason


def test_more_rows_than_a_part(save, chem, monkeypatch):
    monkeypatch.setattr("steerable.data.structures.readers.table.PART", 2)
    path = save("smiles,y\n" + "\n".join(f"{'C' * (k + 1)},{k}" for k in range(5)))
    ours = read(path)
    assert ours.column("y").data.tolist() == [0, 1, 2, 3, 4]
    assert ours.frame.tolist() == [0, 1, 2, 3, 4]
    assert ours.sizes.tolist() == [5, 8, 11, 14, 17]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.tsv", "name\tmol\nethanol\tCCO\n"),
        ("a.csv", "\ufeffname;Smiles\nethanol;CCO\n"),
        ("a.csv", '"name","smiles"\n"ethanol",CCO\n'),
        ("a.smi", "CCO ethanol\n"),
        ("a.smi", "SMILES name\nCCO\tethanol\n"),
    ],
)
def test_dialects(save, chem, name, text):
    ours = read(save(text, name))
    assert ours.column("smiles").data.tolist() == ["CCO"]
    assert ours.column("name").data.tolist() == ["ethanol"]


def test_a_column_of_files(save, tmp_path):
    (tmp_path / "folder").mkdir()
    for name in ("H2O", "CH4"):
        write(tmp_path / "folder" / f"{name}.sdf", molecule(name), format="sdf")
    path = save("file,gap\nfolder/H2O.sdf,7.5\nfolder/none.sdf,1\n,3\nfolder/CH4.sdf,9\n")
    with pytest.warns(FailureWarning, match=r"row 1 \(folder/none.sdf\): .* no such file"):
        ours = read(path)
    assert ours.z.tolist() == [*molecule("H2O").numbers, *molecule("CH4").numbers]
    assert np.allclose(ours.pos[:3], molecule("H2O").positions, atol=1e-4)
    assert ours.column("gap").data.tolist() == [7.5, 9]
    assert ours.frame.tolist() == [0, 3]
    assert ours.column("group").data.tolist() == ["folder/H2O.sdf", "folder/CH4.sdf"]


def test_any_column_of_files_by_its_name(save, tmp_path):
    write(tmp_path / "water.sdf", molecule("H2O"), format="sdf")
    ours = read_table(save("where,gap\nwater.sdf,7.5\n"), key="where")
    assert ours.sizes.tolist() == [3]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n", "no column is called smiles or file; there are a, b"),
        ("smiles,b,b\nC,1,2\n", "called 'b'"),
        ("file\nx.sdf\ny.sdf\n", "no row gives a structure, such as row 0"),
        ("file,y\n", "no rows below"),
        ("\n", "no names of columns"),
    ],
)
def test_tables_that_cannot_be_read(save, text, words):
    with pytest.raises(ReadError, match=words) as error:
        read(save(text))
    assert "table.csv" in str(error.value)


def test_a_column_that_is_not_there(save):
    with pytest.raises(ReadError, match="no column 'z'; there are smiles, y"):
        read_table(save("smiles,y\nC,1\n"), key="z")


def test_smiles_from_python(chem):
    ours = from_smiles(["O", "[OH-]"], conformers=1)
    assert ours.sizes.tolist() == [3, 2]
    assert ours.column("charge").data.tolist() == [0, -1]
    with pytest.raises(ValueError, match=r"row 1 \(bad\)"):
        from_smiles(["O", "bad"])
    failures = []
    assert len(from_smiles(["bad"], failures=failures)) == 0
    assert len(failures) == 1


def test_without_rdkit_the_error_says_what_to_install(save, monkeypatch):
    monkeypatch.setitem(sys.modules, "rdkit", None)
    with pytest.raises(ImportError, match=r"pip install 'steerable\[smiles\]'"):
        read(save("smiles,y\nC,1\n"))
