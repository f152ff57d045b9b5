"""Ready networks, one a file."""

from .build import (
    build_digits,
    build_nbody,
    build_qm9,
    build_shapes,
    build_sphere,
    builder,
    task_name,
)
from .classifier import Classifier
from .dynamics import Dynamics
from .forces import Gravitation, PairForces
from .image_classifier import ImageClassifier
from .messages import MessageForces
from .moved import Moved
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
    "Moved",
    "Multipoles",
    "PairForces",
    "PairNet",
    "Polarisability",
    "Reference",
    "Regressor",
    "SetNet",
    "SphereClassifier",
    "UnknownElementError",
    "build_digits",
    "build_nbody",
    "build_qm9",
    "build_shapes",
    "build_sphere",
    "builder",
    "task_name",
]
