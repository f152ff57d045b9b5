import numpy as np
import pytest

from steerable.data.structures import ReadError, read, read_parts

FRAME = "1\n{}\nH 0 0 0\n"


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ReadError, match="no such file"):
        read(tmp_path / "a.xyz")


def test_an_empty_file(tmp_path):
    (tmp_path / "a.xyz").touch()
    with pytest.raises(ReadError, match="the file is empty"):
        read(tmp_path / "a.xyz")


def test_the_format_is_said(tmp_path):
    path = tmp_path / "a.data"
    path.write_text(FRAME.format(""))
    assert len(read(path, format="extxyz")) == 1
    with pytest.raises(ReadError, match=r"no format 'xzy'.*extxyz"):
        read(path, format="xzy")


def test_a_folder_of_no_format(tmp_path):
    with pytest.raises(ReadError, match="no format is known for this folder"):
        read(tmp_path)


def test_a_shape_that_changes_far_into_the_file(tmp_path):
    path = tmp_path / "a.xyz"
    first = FRAME.format('list="1 2"') * 1500
    path.write_text(first + FRAME.format('list="1 2 3"'))
    data = read(path).columns["list"].data
    assert data[0] == "_JSON [1, 2]" and data[-1] == "_JSON [1, 2, 3]"
    assert sum(len(part) for part in read_parts(path, 1400)) == 1501


def test_parts_of_no_size(tmp_path):
    with pytest.raises(ValueError, match="size=0"):
        next(read_parts(tmp_path / "a.xyz", 0))


def test_sources_and_frames(tmp_path):
    path = tmp_path / "a.xyz"
    path.write_text(FRAME.format("") * 3)
    structures = read(path)
    assert structures.source.tolist() == ["a.xyz"] * 3
    assert np.array_equal(structures.frame, [0, 1, 2])
    assert structures.name(2) == "a.xyz#2"
