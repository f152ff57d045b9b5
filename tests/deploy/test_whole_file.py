import os
import stat

import pytest

from steerable.deploy.whole_file import whole_file


def test_a_file_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    with whole_file(path) as file:
        file.write(b"new")
        assert not path.exists()
    assert path.read_bytes() == b"new"
    assert [one.name for one in tmp_path.iterdir()] == ["a.txt"]


def test_an_error_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="half"), whole_file(path) as file:
        file.write(b"new")
        raise RuntimeError("half")
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_the_umask_is_respected(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        with whole_file(tmp_path / "a.txt") as file:
            file.write(b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == mode


def test_an_old_file_keeps_its_rights(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    path.chmod(0o604)
    with whole_file(path) as file:
        file.write(b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


def test_links_are_written_through(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there" / "a.txt")
    for content in (b"first", b"second"):
        with whole_file(tmp_path / "link") as file:
            file.write(content)
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "there" / "a.txt").read_bytes() == content


def test_pipes_and_devices_are_written_to(tmp_path):
    with whole_file("/dev/null") as file:
        file.write(b"gone")
    assert not os.path.isfile("/dev/null")
    source, sink = os.pipe()
    with whole_file(f"/dev/fd/{sink}") as file:
        file.write(b"through")
    os.close(sink)
    with os.fdopen(source, "rb") as end:
        assert end.read() == b"through"
