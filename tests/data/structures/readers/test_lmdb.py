import numpy as np
import pytest
from ase.build import bulk, molecule
from ase.calculators.singlepoint import SinglePointCalculator

from steerable.data.structures import ReadError, read


@pytest.fixture
def save(tmp_path):
    backend = pytest.importorskip(
        "ase_db_backends.aselmdb", reason="ase-db-backends is not installed"
    )

    def write(*atoms, **pairs):
        path = tmp_path / "some.aselmdb"
        with backend.LMDBDatabase(path) as database:
            for one in atoms:
                database.write(one, data={"extra": [1.0, 2.0]}, **pairs)
        return path

    return write


def test_rows_of_a_data_base(save):
    water, copper = molecule("H2O"), bulk("Cu", cubic=True)
    forces = np.arange(9.0).reshape(3, 3)
    water.calc = SinglePointCalculator(water, energy=-1.5, forces=forces)
    ours = read(save(water, copper, gap=2.5))
    assert ours.z.tolist() == [8, 1, 1, 29, 29, 29, 29]
    assert np.array_equal(ours.pos[:3], water.positions)
    assert ours.pbc.tolist() == [[False] * 3, [True] * 3]
    assert np.array_equal(ours.cell[1], copper.cell.array)
    assert ours.column("energy").data[0] == -1.5 and ours.column("energy").unit == "eV"
    assert ours.column("energy").missing.tolist() == [False, True]
    assert np.array_equal(ours.column("forces").data[:3], forces)
    assert ours.column("gap").data.tolist() == [2.5, 2.5]
    assert ours.column("extra").data.tolist() == [[1, 2], [1, 2]]


def test_a_file_that_cannot_be_written(save):
    path = save(molecule("H2O"))
    path.chmod(0o444)
    content = path.read_bytes()
    assert read(path).z.tolist() == [8, 1, 1]
    assert path.read_bytes() == content


# The data base of the backend closes what it could not open when it is deleted.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_file_of_something_else(save, tmp_path):
    path = tmp_path / "other.aselmdb"
    path.write_text("nothing" * 1000)
    with pytest.raises(ReadError, match="other.aselmdb"):
        read(path)


def test_without_the_backend_the_error_says_what_to_install(tmp_path, monkeypatch):
    path = tmp_path / "some.aselmdb"
    path.write_text("text")
    monkeypatch.setattr("steerable.data.structures.readers.lmdb.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'steerable\[lmdb\]'"):
        read(path)
