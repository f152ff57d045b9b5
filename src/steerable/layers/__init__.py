"""Layers that act at one point: linear maps, activations, norms, and what is made of them."""

from .activation import SILU_GAIN, Gate, NormActivation, TensorProductActivation, mean_square
from .contraction import Contraction, Depthwise, Full, Outer, constants_of
from .dense_kernel import DenseKernel, dense_kernel
from .fourier import CosetActivation, FourierActivation
from .linear import Linear
from .meaning import Meaningful, function_text, reset, reset_children, unless
from .measure import measure
from .measured_scale import MeasuredScale, has_outliers, robust_mean_square
from .mlp import MLP
from .modulation import Modulation
from .norm import BatchNorm, Dropout, InstanceNorm, LayerNorm, RMSNorm
from .path_layout import PathLayout
from .paths import Paths
from .products import Products
from .restrict import Restrict
from .sphere import (
    SphereActivation,
    SphereBatchNorm,
    SphereInvariants,
    SpherePool,
    SphereProduct,
    SphereSignals,
)
from .weights import (
    Constants,
    DepthwiseWeights,
    FullWeights,
    Recipe,
    Weights,
)

__all__ = [
    "MLP",
    "SILU_GAIN",
    "BatchNorm",
    "Constants",
    "Contraction",
    "CosetActivation",
    "DenseKernel",
    "Depthwise",
    "DepthwiseWeights",
    "Dropout",
    "FourierActivation",
    "Full",
    "FullWeights",
    "Gate",
    "InstanceNorm",
    "LayerNorm",
    "Linear",
    "Meaningful",
    "MeasuredScale",
    "Modulation",
    "NormActivation",
    "Outer",
    "PathLayout",
    "Paths",
    "Products",
    "RMSNorm",
    "Recipe",
    "Restrict",
    "SphereActivation",
    "SphereBatchNorm",
    "SphereInvariants",
    "SpherePool",
    "SphereProduct",
    "SphereSignals",
    "TensorProductActivation",
    "Weights",
    "constants_of",
    "dense_kernel",
    "function_text",
    "has_outliers",
    "mean_square",
    "measure",
    "reset",
    "reset_children",
    "robust_mean_square",
    "unless",
]
