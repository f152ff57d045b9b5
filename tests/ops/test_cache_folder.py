"""Where the library keeps what it makes once, and folders that are not safe."""

import os
from pathlib import Path

import platformdirs
import pytest

from steerable.ops.cache_folder import (
    CACHE_VARIABLE,
    UnsafeCacheError,
    cache_folder,
    check_private,
    private_folder,
)

pytestmark = pytest.mark.skipif(os.name != "posix", reason="there are no owners and modes")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "above" / "cache"
    monkeypatch.setenv(CACHE_VARIABLE, str(folder))
    return folder


def test_the_variable_names_the_folder(cache, monkeypatch):
    assert cache_folder() == cache
    monkeypatch.setenv(CACHE_VARIABLE, "")
    assert cache_folder() == Path(platformdirs.user_cache_dir("steerable"))


def test_a_private_folder_is_of_one_user(cache):
    cache.mkdir(parents=True)
    before = os.umask(0)
    try:
        folder = private_folder("code")
    finally:
        os.umask(before)
    assert folder == cache / "code" and folder.stat().st_mode & 0o777 == 0o700
    assert private_folder("code") == folder


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_others_may_not_write(cache, mode):
    private_folder("code").chmod(mode)
    with pytest.raises(UnsafeCacheError, match=f"others may write it: .* in {CACHE_VARIABLE}"):
        private_folder("code")


def test_others_may_not_replace(cache):
    """Unless the folder above lets only owners replace, as /tmp does."""
    private_folder("code")
    cache.chmod(0o777)
    with pytest.raises(UnsafeCacheError, match="everybody may replace what is in"):
        private_folder("code")
    cache.chmod(0o1777)
    assert private_folder("code").is_dir()


def test_links_and_what_is_not_there(cache, tmp_path):
    cache.mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (cache / "code").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnsafeCacheError, match="is a link"):
        private_folder("code")
    (cache / "file").write_text("")
    with pytest.raises(FileExistsError):
        private_folder("file")
    with pytest.raises(FileNotFoundError):
        check_private(cache / "nothing")
