"""Closed subgroups of O(2) and O(3), permutations, their irreps and equivariant linear maps."""

from .closure import GOLDEN_ANGLE, GroupError, rotation
from .couplings import coupling
from .group import Group
from .homogeneous import HomSpace
from .induced import Induced, quotient, regular
from .intertwiners import intertwiners
from .irreps import Irrep, decompose, irrep, irreps
from .named import (
    O2,
    O3,
    SO2,
    SO3,
    axial,
    cyclic,
    dihedral,
    inversion,
    mirror,
    named_group,
    planar_group,
    point_group,
    trivial,
)
from .permutation_fft import PermutationFourier
from .permutation_groups import PermutationGroup
from .permutation_tensors import TensorPower, pattern_weights, set_partitions, tensor_maps
from .representation import Harmonic, Product, Representation, Restricted, stretched
from .symmetric import Specht, SymmetricGroup, YoungSubgroup
from .tableaux import character_table, kostka, partitions
from .young import orthogonal_form
from .young_modules import YoungModule

__all__ = [
    "GOLDEN_ANGLE",
    "O2",
    "O3",
    "SO2",
    "SO3",
    "Group",
    "GroupError",
    "Harmonic",
    "HomSpace",
    "Induced",
    "Irrep",
    "PermutationFourier",
    "PermutationGroup",
    "Product",
    "Representation",
    "Restricted",
    "Specht",
    "SymmetricGroup",
    "TensorPower",
    "YoungModule",
    "YoungSubgroup",
    "axial",
    "character_table",
    "coupling",
    "cyclic",
    "decompose",
    "dihedral",
    "intertwiners",
    "inversion",
    "irrep",
    "irreps",
    "kostka",
    "mirror",
    "named_group",
    "orthogonal_form",
    "partitions",
    "pattern_weights",
    "planar_group",
    "point_group",
    "quotient",
    "regular",
    "rotation",
    "set_partitions",
    "stretched",
    "tensor_maps",
    "trivial",
]
