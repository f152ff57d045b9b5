"""Ready networks, one a file."""

from .classifier import Classifier
from .dynamics import Dynamics
from .forces import Gravitation, PairForces
from .image_classifier import ImageClassifier
from .messages import MessageForces
from .multipoles import Multipoles, Polarisability
from .pair_net import PairNet
from .regressor import Reference, Regressor, UnknownElementError
from .set_net import DeepSets, SetNet
from .sphere_net import SphereClassifier

__all__ = [
    "Classifier",
    "DeepSets",
    "Dynamics",
    "Gravitation",
    "ImageClassifier",
    "MessageForces",
    "Multipoles",
    "PairForces",
    "PairNet",
    "Polarisability",
    "Reference",
    "Regressor",
    "SetNet",
    "SphereClassifier",
    "UnknownElementError",
]
