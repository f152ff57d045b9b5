"""Constants that keep float64 through every change of precision.

The base of the layers, at home in `functions`.
"""

from ..functions.constants import ConstantModule

__all__ = ["ConstantModule"]
