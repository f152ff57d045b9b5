"""Files of others, which are not part of the project."""

import os
from pathlib import Path

import pytest

VARIABLE = "STEERABLE_TEST_DATA"


def shared_path(*names: str) -> Path:
    """A file or folder in the folder that the environment variable names."""
    path = Path(os.environ.get(VARIABLE, "absent")).joinpath(*names)
    if not path.exists():
        pytest.skip(f"{VARIABLE} names no folder with {'/'.join(names)}")
    return path
