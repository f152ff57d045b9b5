"""Ready networks, one a file."""

from .regressor import Regressor, UnknownElementError

__all__ = ["Regressor", "UnknownElementError"]
