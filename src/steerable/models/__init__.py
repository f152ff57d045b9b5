"""Ready networks, one a file."""

from .atom_network import AtomNetwork, RegressorSettings, UnknownElementError
from .backbone import Backbone, Block
from .build import (
    build_digits,
    build_nbody,
    build_property,
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
from .committee import Committee
from .derivatives import Derivatives, energy_derivatives, hessian, hessian_product
from .dots import dots_claim
from .dynamics import Dynamics, DynamicsSettings
from .forces import Gravitation, PairForces, Particles
from .heads import Head, HeadSettings
from .image_classifier import ImageClassifier, ImageClassifierSettings
from .messages import MessageForces
from .moved import Moved, motion_claim
from .multipoles import Multipoles, Polarisability
from .outputs import ATOMWISE, Outputs, Result, named_outputs
from .pair_net import PairNet
from .property_net import PropertyNet, PropertySettings
from .regressor import EARLIER, Reference, Regressor
from .set_net import DeepSets, SetNet
from .sphere_net import SphereClassifier, SphereClassifierSettings
from .transfer import Transfer, transfer

__all__ = [
    "ATOMWISE",
    "EARLIER",
    "AtomNetwork",
    "Backbone",
    "Block",
    "Certifiable",
    "Claim",
    "Classifier",
    "ClassifierSettings",
    "Committee",
    "DeepSets",
    "Derivatives",
    "Dynamics",
    "DynamicsSettings",
    "Gravitation",
    "Head",
    "HeadSettings",
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
    "PropertyNet",
    "PropertySettings",
    "Reference",
    "Regressor",
    "RegressorSettings",
    "Result",
    "SetNet",
    "SphereClassifier",
    "SphereClassifierSettings",
    "Transfer",
    "UnknownElementError",
    "build_digits",
    "build_nbody",
    "build_property",
    "build_qm9",
    "build_shapes",
    "build_sphere",
    "builder",
    "bumps_claim",
    "dots_claim",
    "energy_derivatives",
    "hessian",
    "hessian_product",
    "in_space",
    "motion_claim",
    "named_outputs",
    "task_name",
    "transfer",
]
