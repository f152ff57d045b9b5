"""Settings of every test: no test reads or writes the user's cache."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def session_cache(tmp_path_factory):
    """One cache folder a session, so that QM9 is parsed once however many tests load it."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("STEERABLE_CACHE", str(folder))
        yield folder
