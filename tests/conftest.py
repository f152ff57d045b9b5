"""Settings of every test.

Its draws do not depend on the tests before it, and the user's cache is not touched.
"""

import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def session_cache(tmp_path_factory):
    """One cache folder a session, so that QM9 is parsed once however many tests load it."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("STEERABLE_CACHE", str(folder))
        yield folder


@pytest.fixture(autouse=True)
def seeded():
    """The state of PyTorch's generator, from which layers draw their first weights."""
    torch.manual_seed(0)
