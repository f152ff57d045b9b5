"""Steerable: neural networks that respect the symmetries of space, for any group."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .certify import Certificate, certify
from .field import Field, FieldError, FieldMismatchError
from .groups import Group

if TYPE_CHECKING:
    from . import (
        convs,
        data,
        deploy,
        filters,
        functions,
        groups,
        layers,
        models,
        nn,
        operators,
        ops,
        report,
        train,
    )

__version__ = "0.1.0"

_ROOMS = (
    "convs",
    "data",
    "deploy",
    "filters",
    "functions",
    "groups",
    "layers",
    "models",
    "nn",
    "operators",
    "ops",
    "report",
    "train",
)

__all__ = [
    "Certificate",
    "Field",
    "FieldError",
    "FieldMismatchError",
    "Group",
    "certify",
    "convs",
    "data",
    "deploy",
    "filters",
    "functions",
    "groups",
    "layers",
    "models",
    "nn",
    "operators",
    "ops",
    "report",
    "train",
]


def __getattr__(name: str) -> Any:
    """Import a room on first use, so that `import steerable` stays quick."""
    if name in _ROOMS:
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
