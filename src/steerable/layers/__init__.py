"""Layers that act at one point: linear maps, activations, norms, and what is made of them."""

from .activation import SILU_GAIN, Gate, NormActivation, TensorProductActivation, mean_square
from .contraction import Contraction, Depthwise, Full, stacked_weights
from .dense_kernel import DenseKernel, dense_kernel
from .fourier import CosetActivation, FourierActivation
from .linear import Linear
from .measure import measure
from .measured_scale import MeasuredScale, robust_mean_square
from .mlp import MLP
from .norm import BatchNorm, Dropout, InstanceNorm, LayerNorm, RMSNorm
from .paths import Paths
from .restrict import Restrict
from .sphere import (
    SphereActivation,
    SphereBatchNorm,
    SphereInvariants,
    SpherePool,
    SphereProduct,
    SphereSignals,
)

__all__ = [
    "MLP",
    "SILU_GAIN",
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
    "MeasuredScale",
    "NormActivation",
    "Paths",
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
    "mean_square",
    "measure",
    "robust_mean_square",
    "stacked_weights",
]
