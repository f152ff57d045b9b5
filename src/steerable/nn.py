"""What users build networks from: layers, filters, convolutions."""

from .convs import PointConv, Pool
from .filters import Filter, HarmonicFilter, ImplicitFilter
from .layers import (
    MLP,
    BatchNorm,
    Contraction,
    Dropout,
    FourierActivation,
    Gate,
    InstanceNorm,
    LayerNorm,
    Linear,
    NormActivation,
    RMSNorm,
    TensorProductActivation,
)

__all__ = [
    "MLP",
    "BatchNorm",
    "Contraction",
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
    "TensorProductActivation",
]
