"""The idx format: files written by hand, packed and not, and damaged ones."""

import gzip
import struct

import numpy as np
import pytest

from steerable.data.images.idx import read_idx


def idx(array: np.ndarray) -> bytes:
    return (
        struct.pack(">HBB", 0, 8, array.ndim)
        + struct.pack(f">{array.ndim}i", *array.shape)
        + array.tobytes()
    )


def test_numbers_of_several_bytes(tmp_path):
    (tmp_path / "x").write_bytes(bytes([0, 0, 0x0B, 1]) + struct.pack(">i3h", 3, 1, -2, 300))
    assert read_idx(tmp_path / "x").tolist() == [1, -2, 300]


CODES = {"u1": 0x08, "i1": 0x09, ">i2": 0x0B, ">i4": 0x0C, ">f4": 0x0D, ">f8": 0x0E}


@pytest.mark.parametrize("kind", CODES)
@pytest.mark.parametrize("packed", [False, True])
def test_arrays_of_every_type(tmp_path, kind, packed):
    array = np.random.default_rng(0).integers(0, 100, (2, 3, 4)).astype(kind)
    data = bytes([0, 0, CODES[kind], 3]) + struct.pack(">3i", 2, 3, 4) + array.tobytes()
    path = tmp_path / ("x.gz" if packed else "x")
    path.write_bytes(gzip.compress(data) if packed else data)
    result = read_idx(path)
    np.testing.assert_array_equal(result, array)
    assert result.dtype.isnative


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [
        ("x", b"", r"x is no idx file \(it begins with nothing\)"),
        ("x", bytes([0, 1, 8, 1]) + bytes(5), "is no idx file .it begins with 00 01 08 01"),
        ("x", bytes([0, 0, 7, 1]) + bytes(5), "is no idx file"),  # no such type
        ("x", bytes([0, 0, 8, 2]) + bytes(7), "is no idx file"),  # ends in the shape
        ("x", idx(np.zeros(6, np.uint8))[:-1], r"5 bytes .* shape \(6,\) needs 6: it is damaged"),
        ("x", idx(np.zeros(6, np.uint8)) + b"0", "7 bytes of numbers"),
        ("x.gz", b"\x1f\x8b damaged", "x.gz cannot be read"),
        ("x.gz", gzip.compress(idx(np.zeros(6, np.uint8)), mtime=0)[:-9], "x.gz cannot be read"),
    ],
)
def test_damaged_files(tmp_path, name, data, text):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match=text):
        read_idx(tmp_path / name)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match="cannot be read"):
        read_idx(tmp_path / "nothing")
