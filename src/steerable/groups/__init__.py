"""Closed subgroups of O(2) and O(3), their irreps, and the linear maps that commute with them."""

from .closure import GOLDEN_ANGLE, GroupError, rotation
from .couplings import coupling
from .group import Group
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
    "Induced",
    "Irrep",
    "Product",
    "Representation",
    "Restricted",
    "axial",
    "coupling",
    "cyclic",
    "decompose",
    "dihedral",
    "intertwiners",
    "inversion",
    "irrep",
    "irreps",
    "mirror",
    "named_group",
    "planar_group",
    "point_group",
    "quotient",
    "regular",
    "rotation",
    "stretched",
    "trivial",
]
