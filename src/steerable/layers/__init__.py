"""Layers that act at one point: linear maps, activations, norms, and what is made of them."""

from .activation import Gate, NormActivation, TensorProductActivation
from .contraction import Contraction
from .linear import Linear
from .mlp import MLP
from .norm import RMSNorm

__all__ = ["MLP", "Contraction", "Gate", "Linear", "NormActivation", "RMSNorm", "TensorProductActivation"]
