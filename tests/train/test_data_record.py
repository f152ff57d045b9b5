"""The record of what a run was trained on."""

import hashlib

import numpy as np
import pytest
import torch

from steerable.train.data_record import (
    PYTHON,
    DataRecord,
    DataSource,
    Part,
    PartRecord,
    checksum,
    read_record,
    write_record,
)


def parts(shift=0.0):
    y = torch.arange(6, dtype=torch.float64) + shift
    index = {"train": [5, 1, 3], "validation": [0], "test": [4, 2]}
    return {name: Part(np.array(rows), (y[rows],)) for name, rows in index.items()}


def test_a_checksum_is_that_of_the_bytes():
    values = np.array([[1.0, 2.0]])
    assert checksum([values]) == hashlib.sha256(b"f8 (1, 2);" + values.tobytes()).hexdigest()
    assert checksum([torch.from_numpy(values)]) == checksum([values])
    assert checksum([values[:, ::-1]]) == checksum([values[:, ::-1].copy()])
    assert checksum([values.astype(">f8")]) == checksum([values])


@pytest.mark.parametrize(
    "other",
    [
        [np.array([[1.0, np.nextafter(2.0, 3)]])],
        [np.array([[2.0, 1.0]])],
        [np.array([1.0, 2.0])],
        [np.array([[1.0, 2.0]], dtype=np.float32)],
        [np.array([[1.0, 2.0]]), np.zeros(0)],
        [],
    ],
)
def test_other_values_types_and_shapes_have_another_checksum(other):
    assert checksum([np.array([[1.0, 2.0]])]) != checksum(other)


def test_texts_have_a_checksum_that_does_not_depend_on_their_width():
    wide = np.array(["a", "bc", "a longer one"])[:2]
    assert checksum([wide.astype("U2")]) != checksum([np.array(["a", "bd"])])
    assert checksum([np.array(["ab", "c"])]) != checksum([np.array(["a", "bc"])])
    assert checksum([wide]) == checksum([np.array(["a", "bc"])])


def test_a_record_is_read_as_it_was_written(tmp_path):
    source = DataSource("the file a.xyz", {"a.xyz": "1" * 64})
    write_record(tmp_path, source, parts())
    record = read_record(tmp_path)
    assert record.source == source
    assert record.count == 6
    assert {name: part.count for name, part in record.parts.items()} == {
        "train": 3,
        "validation": 1,
        "test": 2,
    }
    rows = (tmp_path / "split.csv").read_text().splitlines()
    assert rows == [
        "part,index,name", "train,5,", "train,1,", "train,3,", "validation,0,", "test,4,", "test,2,"
    ]  # fmt: skip


def test_names_are_in_the_table(tmp_path):
    named = parts()
    named["test"] = Part(np.array([4, 2]), (), ("water", "a,b"))
    write_record(tmp_path, PYTHON, named)
    assert (tmp_path / "split.csv").read_text().endswith('test,4,water\ntest,2,"a,b"\n')


def test_a_record_fits_the_same_data_alone():
    records = {name: PartRecord.of(part) for name, part in parts().items()}
    others = {name: PartRecord.of(part) for name, part in parts(1e-9).items()}
    record = DataRecord(PYTHON, records)
    assert record.fits("test", records["test"], DataSource("a file"))
    assert not record.fits("test", others["test"], PYTHON)
    assert record.sha256 != DataRecord(PYTHON, others).sha256


def test_data_that_are_computed_anew_may_be_rounded_differently():
    records = {name: PartRecord.of(part) for name, part in parts().items()}
    rounded = PartRecord.of(parts(1e-16 + 1e-9)["test"])
    solids = DataSource("solids", computed=True)
    assert DataRecord(solids, records).fits("test", rounded, solids)
    assert not DataRecord(solids, records).fits("test", rounded, PYTHON)
    assert not DataRecord(solids, records).fits("test", records["train"], solids)


def test_files_have_their_checksums(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"abc")
    source = DataSource.of_files("a file", [path])
    assert source.files == {str(path): hashlib.sha256(b"abc").hexdigest()}


def test_runs_of_earlier_versions_have_no_record(tmp_path):
    assert read_record(tmp_path) is None


def test_a_damaged_record_is_refused(tmp_path):
    (tmp_path / "data.json").write_text('{"source": {}')
    with pytest.raises(ValueError, match=r"data.json cannot be read .*train anew"):
        read_record(tmp_path)
