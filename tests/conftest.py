"""Settings of every test.

Its draws do not depend on the tests before it, and the user's cache is not touched. Files that take
long are started first.
"""

import os

import pytest
import torch

LONGEST = (
    "contracts/test_compile_points.py",
    "contracts/test_export.py",
    "contracts/test_export_points.py",
    "convs/points/test_compiled.py",
    "convs/points/test_engines.py",
    "tests/test_cli.py",
    "tests/test_compiling.py",
    "tests/test_examples.py",
)


def pytest_collection_modifyitems(items):
    """Put the longest files first, so that no worker is left alone with one at the end."""
    items.sort(key=lambda item: not item.path.as_posix().endswith(LONGEST))


@pytest.fixture(scope="session", autouse=True)
def session_cache(tmp_path_factory):
    """One cache folder a session, so that QM9 is parsed once however many tests load it."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # the folder above is of all workers
        folder = folder.parent
    folder = folder / "session_cache"
    folder.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEERABLE_CACHE", str(folder))
        yield folder


@pytest.fixture(autouse=True)
def seeded():
    """The state of PyTorch's generator, from which layers draw their first weights."""
    torch.manual_seed(0)
