"""Layers that act at one point: linear maps, activations, norms, and what is made of them."""

from .activation import Gate, NormActivation, TensorProductActivation
from .contraction import Contraction, Depthwise, Full
from .dense_kernel import DenseKernel, dense_kernel
from .fourier import CosetActivation, FourierActivation
from .linear import Linear
from .mlp import MLP
from .norm import BatchNorm, Dropout, InstanceNorm, LayerNorm, RMSNorm
from .restrict import Restrict
from .sphere_activation import SphereActivation, SphereProduct
from .sphere_norm import SphereBatchNorm
from .sphere_readout import SphereInvariants, SpherePool
from .sphere_signals import SphereSignals

__all__ = [
    "MLP",
    "BatchNorm",
    "Contraction",
    "CosetActivation",
    "DenseKernel",
    "Depthwise",
    "Dropout",
    "FourierActivation",
    "Full",
    "Gate",
    "InstanceNorm",
    "LayerNorm",
    "Linear",
    "NormActivation",
    "RMSNorm",
    "Restrict",
    "SphereActivation",
    "SphereBatchNorm",
    "SphereInvariants",
    "SpherePool",
    "SphereProduct",
    "SphereSignals",
    "TensorProductActivation",
    "dense_kernel",
]
