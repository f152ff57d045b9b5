"""What users build networks from: layers, filters, convolutions."""

from .convs import PointConv, Pool
from .filters import Filter, HarmonicFilter, ImplicitFilter
from .layers import (
    MLP,
    BatchNorm,
    Contraction,
    CosetActivation,
    Depthwise,
    Dropout,
    FourierActivation,
    Full,
    Gate,
    InstanceNorm,
    LayerNorm,
    Linear,
    NormActivation,
    Restrict,
    RMSNorm,
    TensorProductActivation,
)

__all__ = [
    "MLP",
    "BatchNorm",
    "Contraction",
    "CosetActivation",
    "Depthwise",
    "Dropout",
    "Filter",
    "FourierActivation",
    "Full",
    "Gate",
    "HarmonicFilter",
    "ImplicitFilter",
    "InstanceNorm",
    "LayerNorm",
    "Linear",
    "NormActivation",
    "PointConv",
    "Pool",
    "RMSNorm",
    "Restrict",
    "TensorProductActivation",
]
