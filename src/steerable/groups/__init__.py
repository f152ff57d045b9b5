"""Closed subgroups of O(2) and O(3), permutations, their irreps and equivariant linear maps."""

from .closure import GOLDEN_ANGLE, GroupError, Symmetry, rotation
from .cosets import double_coset_representatives
from .couplings import coupling
from .group import Group
from .homogeneous import HomSpace, kernel_functions
from .induced import Induced, quotient, regular
from .intertwiners import intertwiners, null_space, orthonormal_rows
from .irreps import Irrep, decompose, irrep, irreps
from .labels import digest, group_label
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
from .permutations import (
    PermutationFourier,
    PermutationGroup,
    Specht,
    SymmetricGroup,
    TensorPower,
    YoungModule,
    YoungSubgroup,
    character_table,
    kostka,
    orthogonal_form,
    partitions,
    pattern_weights,
    set_partitions,
    tensor_maps,
)
from .representation import Harmonic, Product, Representation, Restricted, stretched

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
    "Symmetry",
    "TensorPower",
    "YoungModule",
    "YoungSubgroup",
    "axial",
    "character_table",
    "coupling",
    "cyclic",
    "decompose",
    "digest",
    "dihedral",
    "double_coset_representatives",
    "group_label",
    "intertwiners",
    "inversion",
    "irrep",
    "irreps",
    "kernel_functions",
    "kostka",
    "mirror",
    "named_group",
    "null_space",
    "orthogonal_form",
    "orthonormal_rows",
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
