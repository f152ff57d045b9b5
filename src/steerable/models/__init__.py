"""Ready networks, one a file."""

from .regressor import Reference, Regressor, UnknownElementError

__all__ = ["Reference", "Regressor", "UnknownElementError"]
