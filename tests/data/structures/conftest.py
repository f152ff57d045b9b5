"""A cache folder that is empty at the beginning of each test."""

import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("STEERABLE_CACHE", str(folder))
    return folder
