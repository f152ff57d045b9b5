"""Layers that act at one point: linear maps, activations, norms, and what is made of them."""

from .activation import Gate, NormActivation, TensorProductActivation
from .contraction import Contraction, Depthwise, Full, dense_kernel
from .fourier import CosetActivation, FourierActivation
from .linear import Linear
from .mlp import MLP
from .norm import BatchNorm, Dropout, InstanceNorm, LayerNorm, RMSNorm
from .restrict import Restrict

__all__ = [
    "MLP",
    "BatchNorm",
    "Contraction",
    "CosetActivation",
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
    "TensorProductActivation",
    "dense_kernel",
]
