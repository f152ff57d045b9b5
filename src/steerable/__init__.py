"""Steerable: neural networks that respect the symmetries of space, for any group.

Everything is imported on first use, so that `import steerable` loads nothing, not even torch.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .lazy import lazy

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
    from .certify import Certificate, certify
    from .compiling import compiled_step
    from .deploy import Predictor
    from .field import Field, FieldError, FieldMismatchError
    from .groups import Group

    load = Predictor.load

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
    "Predictor",
    "certify",
    "compiled_step",
    "convs",
    "data",
    "deploy",
    "filters",
    "functions",
    "groups",
    "layers",
    "load",
    "models",
    "nn",
    "operators",
    "ops",
    "report",
    "train",
]

_name = lazy(
    __name__,
    {
        "Certificate": ".certify",
        "Field": ".field",
        "FieldError": ".field",
        "FieldMismatchError": ".field",
        "Group": ".groups",
        "Predictor": ".deploy",
        "certify": ".certify",
        "compiled_step": ".compiling",
    },
)


def __getattr__(name: str) -> Any:
    if name == "load":  # `deploy.load` gives the network without what predicts by it
        return _name("Predictor").load
    return import_module(f".{name}", __name__) if name in _ROOMS else _name(name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


class _Package(ModuleType):
    """The package, in which `certify` is the function and not the module that defines it."""

    def __setattr__(self, name: str, value: Any) -> None:
        # Python binds a module in its package as soon as it has been imported.
        certify_module = name == "certify" and isinstance(value, ModuleType)
        super().__setattr__(name, value.certify if certify_module else value)


sys.modules[__name__].__class__ = _Package
