"""The cache: complete, or built anew."""

import numpy as np
import pytest

from steerable.data.cache import cached
from steerable.ops.cache_folder import CACHE_VARIABLE, cache_folder


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A cache folder of the test's own, not yet there."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "deep" / "cache"))
    return tmp_path / "deep" / "cache"


@pytest.fixture
def build():
    """A builder that counts its calls."""

    def call():
        call.count += 1
        return {"a": np.arange(1000.0), "s": np.array([b"C", b"CC#N"])}

    call.count = 0
    return call


def assert_is_the_table(table):
    assert sorted(table) == ["a", "s"]
    np.testing.assert_array_equal(table["a"], np.arange(1000.0))
    assert table["s"].tolist() == [b"C", b"CC#N"]


def test_the_second_time_reads_what_the_first_wrote(build, folder):
    assert_is_the_table(cached("x", build))
    assert_is_the_table(cached("x", build))
    assert build.count == 1
    assert [path.name for path in folder.iterdir()] == ["x.npz"]


def test_another_name_is_another_table(build):
    cached("x", build)
    cached("y", build)
    assert build.count == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: b"",
        lambda data: b"no archive at all",
        lambda data: data[:4000] + bytes([data[4000] ^ 1]) + data[4001:],
    ],
    ids=["half", "empty", "foreign", "one bit"],
)
def test_a_damaged_file_is_built_anew(build, folder, damage):
    cached("x", build)
    whole = (folder / "x.npz").read_bytes()
    (folder / "x.npz").write_bytes(damage(whole))
    assert_is_the_table(cached("x", build))
    assert build.count == 2
    assert_is_the_table(cached("x", build))
    assert build.count == 2


def test_a_folder_that_cannot_be_written_costs_only_the_cache(build, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file" / "cache"))
    with pytest.warns(
        UserWarning, match=f"x could not be kept in .*: name a folder .* variable {CACHE_VARIABLE}"
    ):
        assert_is_the_table(cached("x", build))


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_write_that_breaks_off_leaves_nothing(build, folder, monkeypatch, error):
    def savez(stream, **arrays):
        stream.write(b"half")
        raise error

    monkeypatch.setattr(np, "savez", savez)
    if isinstance(error, OSError):
        with pytest.warns(UserWarning, match="disk full"):
            assert_is_the_table(cached("x", build))
    else:
        with pytest.raises(KeyboardInterrupt):
            cached("x", build)
    assert list(folder.iterdir()) == []


def test_what_the_builder_raises_goes_through(folder):
    def build():
        raise ValueError("no source")

    with pytest.raises(ValueError, match="no source") as raised:
        cached("x", build)
    assert raised.value.__context__ is None
    assert not folder.exists()


def test_without_the_variable_it_is_the_users_cache_folder(monkeypatch):
    monkeypatch.delenv(CACHE_VARIABLE)
    assert cache_folder().name == "steerable"
