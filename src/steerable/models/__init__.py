"""Ready networks, one a file."""

from .classifier import Classifier
from .regressor import Reference, Regressor, UnknownElementError

__all__ = ["Classifier", "Reference", "Regressor", "UnknownElementError"]
