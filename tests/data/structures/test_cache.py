import os

import numpy as np
import pytest

from data.structures.compare import assert_same
from data.structures.writers.test_writing import everything
from steerable.data.structures import read, write
from steerable.data.structures.cache import checksum
from steerable.data.structures.readers.extxyz import reader


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("STEERABLE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def path(tmp_path):
    write(everything(), tmp_path / "a.xyz")
    return tmp_path / "a.xyz"


def test_the_cache_has_everything(folder, path, monkeypatch):
    first = read(path, cache=True)
    assert_same(first, everything())
    monkeypatch.setattr(reader, "read_frames", None)  # nothing is read from the file any more
    second = read(path, cache=True)
    assert_same(second, first)
    assert np.array_equal(second.source, first.source)
    assert np.array_equal(second.frame, first.frame)
    assert len(list(folder.iterdir())) == 1


def test_without_the_cache_nothing_is_written(folder, path):
    read(path)
    assert not folder.exists()


def test_a_changed_file_is_read_anew(folder, path):
    before = path.stat()
    first = read(path, cache=True)
    lines = path.read_text().splitlines(keepends=True)
    lines[2] = lines[2].translate(str.maketrans("12345678", "23456781"))  # the first atom
    path.write_text("".join(lines))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    second = read(path, cache=True)
    assert_same(second, read(path))
    assert not np.array_equal(first.pos, second.pos)


@pytest.mark.parametrize("content", [b"", b"nothing", None])
def test_a_damaged_cache_is_built_anew(folder, path, content):
    first = read(path, cache=True)
    (file,) = folder.iterdir()
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data) if content is None else content)
    assert_same(read(path, cache=True), first)


def test_the_checksum_is_of_names_and_contents(tmp_path):
    (tmp_path / "a").mkdir()
    for name, text in (("x", "1"), ("y", "2")):
        (tmp_path / "a" / name).write_text(text)
    first = checksum(tmp_path / "a")
    assert first == checksum(tmp_path / "a") != checksum(tmp_path / "a", "salt")
    (tmp_path / "a" / "x").rename(tmp_path / "a" / "z")
    assert checksum(tmp_path / "a") != first
    copy = tmp_path / "b"
    copy.write_text("1")
    assert checksum(copy) != checksum(tmp_path / "a" / "y")


def test_tables_are_not_cached(folder, tmp_path, path):
    write(everything().select([1]), tmp_path / "one.xyz")
    table = tmp_path / "table.csv"
    table.write_text("file,value\none.xyz,1\n")
    read(table, cache=True)
    assert not folder.exists()
