"""The symmetric group S_n: elements, subgroups, irreps and Fourier transform."""

from .fft import PermutationFourier
from .groups import PermutationGroup
from .permutations import permutation_matrices
from .symmetric import Specht, SymmetricGroup, YoungSubgroup
from .tableaux import character_table, kostka, partitions
from .tensors import TensorPower, TensorSymmetry, pattern_weights, set_partitions, tensor_maps
from .young import orthogonal_form
from .young_modules import YoungModule

__all__ = [
    "PermutationFourier",
    "PermutationGroup",
    "Specht",
    "SymmetricGroup",
    "TensorPower",
    "TensorSymmetry",
    "YoungModule",
    "YoungSubgroup",
    "character_table",
    "kostka",
    "orthogonal_form",
    "partitions",
    "pattern_weights",
    "permutation_matrices",
    "set_partitions",
    "tensor_maps",
]
