"""Differential operators as layers, on points and grids."""

from .depthwise_products import DepthwiseProducts, Functions, function_field
from .neural_pdo import GridNeuralPDO, NeuralPDO
from .pdo import GridPDO, SteerablePDO
from .tensor_products import TensorProducts

__all__ = [
    "DepthwiseProducts",
    "Functions",
    "GridNeuralPDO",
    "GridPDO",
    "NeuralPDO",
    "SteerablePDO",
    "TensorProducts",
    "function_field",
]
