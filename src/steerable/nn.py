"""What users build networks from: layers, filters, convolutions."""

from .convs import PointConv, Pool
from .filters import Filter, HarmonicFilter, ImplicitFilter
from .layers import MLP, Contraction, Gate, Linear, NormActivation, RMSNorm, TensorProductActivation

__all__ = [
    "MLP",
    "Contraction",
    "Filter",
    "Gate",
    "HarmonicFilter",
    "ImplicitFilter",
    "Linear",
    "NormActivation",
    "PointConv",
    "Pool",
    "RMSNorm",
    "TensorProductActivation",
]
