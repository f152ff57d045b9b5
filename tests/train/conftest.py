"""A network and molecules small enough to train in a second."""

import pytest

from steerable.train import DataConfig, FitConfig, QM9Config
from train.small import Pairs, random_molecules


@pytest.fixture(scope="session")
def molecules():
    """Sixty random molecules whose property 12 depends on their atoms and distances."""
    return random_molecules()


@pytest.fixture
def build():
    return Pairs


@pytest.fixture
def config(tmp_path):
    data = DataConfig(train=40, validation=8, test=12)
    return QM9Config(
        data,
        fit=FitConfig(epochs=3, batch_size=8, warmup_steps=2, lr=1e-2),
        run=str(tmp_path / "run"),
    )
