"""Ready networks, one a file."""

from .backbone import Backbone, Block
from .build import (
    build_digits,
    build_nbody,
    build_qm9,
    build_shapes,
    build_sphere,
    builder,
    in_space,
    task_name,
)
from .bumps import bumps_claim
from .certifiable import Certifiable, Claim
from .classifier import Classifier, ClassifierSettings
from .dots import dots_claim
from .dynamics import Dynamics, DynamicsSettings
from .forces import Gravitation, PairForces, Particles
from .image_classifier import ImageClassifier, ImageClassifierSettings
from .messages import MessageForces
from .moved import Moved, motion_claim
from .multipoles import Multipoles, Polarisability
from .outputs import ATOMWISE, Outputs, Result, named_outputs
from .pair_net import PairNet
from .regressor import EARLIER, Reference, Regressor, RegressorSettings, UnknownElementError
from .set_net import DeepSets, SetNet
from .sphere_net import SphereClassifier, SphereClassifierSettings

__all__ = [
    "ATOMWISE",
    "EARLIER",
    "Backbone",
    "Block",
    "Certifiable",
    "Claim",
    "Classifier",
    "ClassifierSettings",
    "DeepSets",
    "Dynamics",
    "DynamicsSettings",
    "Gravitation",
    "ImageClassifier",
    "ImageClassifierSettings",
    "MessageForces",
    "Moved",
    "Multipoles",
    "Outputs",
    "PairForces",
    "PairNet",
    "Particles",
    "Polarisability",
    "Reference",
    "Regressor",
    "RegressorSettings",
    "Result",
    "SetNet",
    "SphereClassifier",
    "SphereClassifierSettings",
    "UnknownElementError",
    "build_digits",
    "build_nbody",
    "build_qm9",
    "build_shapes",
    "build_sphere",
    "builder",
    "bumps_claim",
    "dots_claim",
    "in_space",
    "motion_claim",
    "named_outputs",
    "task_name",
]
