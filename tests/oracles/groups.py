"""Groups that tests share."""

import numpy as np

from steerable.groups import GOLDEN_ANGLE, O2, O3, SO2, SO3, Group, rotation, trivial

GOLDEN_RATIO = (1 + 5**0.5) / 2
MIRROR_X = np.diag([-1.0, 1.0, 1.0])

SPATIAL = [
    O3(),
    SO3(),
    trivial(),
    Group.from_generators([MIRROR_X], "mirror"),
    Group.from_generators([rotation(GOLDEN_ANGLE, [1, 2, 3])], "Cinf tilted"),
    Group.from_generators([rotation(GOLDEN_ANGLE, [0, 0, 1]), MIRROR_X], "Cinfv"),
    Group.from_generators([rotation(2 * np.pi / 3, [0, 0, 1]), MIRROR_X], "C3v"),
    Group.from_generators([rotation(np.pi, [0, 0, 1]), rotation(2 * np.pi / 3, [1, 1, 1])], "T"),
    Group.from_generators([rotation(np.pi / 2, [0, 0, 1]), rotation(2 * np.pi / 3, [1, 1, 1]), -np.eye(3)], "Oh"),
    Group.from_generators([rotation(2 * np.pi / 5, [0, 1, GOLDEN_RATIO]), rotation(2 * np.pi / 3, [1, 1, 1])], "I"),
]
PLANAR = [
    O2(),
    SO2(),
    Group.from_generators([rotation(np.pi / 2)], "C4"),
    Group.from_generators([rotation(np.pi / 3), np.diag([1.0, -1.0])], "D6"),
]
EVERY = SPATIAL + PLANAR


def name(group: Group) -> str:
    return group.name
