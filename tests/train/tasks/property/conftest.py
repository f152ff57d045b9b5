import pytest

from steerable.train import PropertyConfig, PropertyData, PropertyFit
from train.properties import SMALL, molecules


@pytest.fixture
def frames():
    return molecules()


@pytest.fixture
def config(tmp_path):
    """Settings of a training of a second."""

    def settings(target, **data):
        return PropertyConfig(
            data=PropertyData(target=target, validation="8", test="8", **data),
            model=SMALL,
            fit=PropertyFit(epochs=2, max_seconds=0.0, warmup_steps=2, batch_size=8),
            run=str(tmp_path / "run"),
        )

    return settings
