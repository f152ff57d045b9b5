"""Where the library keeps what it makes once."""

import os
from pathlib import Path

from platformdirs import user_cache_dir

CACHE_VARIABLE = "STEERABLE_CACHE"


def cache_folder() -> Path:
    """The folder that `STEERABLE_CACHE` names, else the user's cache folder of this platform."""
    return Path(os.environ.get(CACHE_VARIABLE) or user_cache_dir("steerable"))
