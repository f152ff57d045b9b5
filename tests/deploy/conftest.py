"""A network and molecules small enough to save, load and use in a second."""

import pytest

from train.small import Pairs, random_molecules


@pytest.fixture
def build():
    return Pairs


@pytest.fixture(scope="session")
def molecules():
    return random_molecules()
