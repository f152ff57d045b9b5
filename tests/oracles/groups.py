"""Groups that tests share."""

import numpy as np

from steerable.groups import (
    GOLDEN_ANGLE,
    O2,
    O3,
    SO2,
    SO3,
    Group,
    axial,
    cyclic,
    dihedral,
    point_group,
    rotation,
    trivial,
)

MIRROR_X = np.diag([-1.0, 1.0, 1.0])

SPATIAL = [
    O3(),
    SO3(),
    trivial(),
    Group.from_generators([MIRROR_X], "mirror"),
    Group.from_generators([rotation(GOLDEN_ANGLE, [1, 2, 3])], "Cinf tilted"),
    axial("Cinfv", [2, -1, 1]),
    point_group("C3v"),
    point_group("D4h"),
    point_group("T"),
    point_group("Oh"),
    point_group("I"),
]
PLANAR = [
    O2(),
    SO2(),
    cyclic(4),
    dihedral(6),
]
EVERY = SPATIAL + PLANAR


def name(group: Group) -> str:
    return group.name
