"""Ready networks, one a file."""

from .classifier import Classifier
from .image_classifier import ImageClassifier
from .multipoles import Multipoles, Polarisability
from .pair_net import PairNet
from .regressor import Reference, Regressor, UnknownElementError
from .set_net import DeepSets, SetNet

__all__ = [
    "Classifier",
    "DeepSets",
    "ImageClassifier",
    "Multipoles",
    "PairNet",
    "Polarisability",
    "Reference",
    "Regressor",
    "SetNet",
    "UnknownElementError",
]
