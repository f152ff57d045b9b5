"""Names of a package that are imported on first use, because what they need loads slowly."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """The `__getattr__` of a package or module that imports each name from its home on first use.

    Args:
        package: the `__name__` of the package or module.
        homes: name -> module that defines it, relative to that name: `.below`, `..beside`.
    """

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(homes[name], package), name)
        setattr(sys.modules[package], name, value)
        return value

    return get
