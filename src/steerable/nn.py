"""What users build networks from: layers, filters, convolutions."""

from .convs import PointConv, Pool
from .filters import Filter, HarmonicFilter, ImplicitFilter
from .layers import (
    MLP,
    BatchNorm,
    Contraction,
    CosetActivation,
    Dropout,
    FourierActivation,
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
    "Dropout",
    "Filter",
    "FourierActivation",
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
