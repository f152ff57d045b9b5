"""The groups that these tests share, and e3nn in float64."""

import numpy as np
import pytest
import torch

from steerable.groups import GOLDEN_ANGLE, O2, O3, SO2, SO3, Group, rotation, trivial

GOLDEN = (1 + 5**0.5) / 2
X, Z, DIAGONAL = (1, 0, 0), (0, 0, 1), (1, 1, 1)
TILTED, ACROSS = (1, 2, 3), (3, 0, -1)
INVERSION = -np.eye(3)


def mirror(normal):
    """The reflection of the plane or of space that turns `normal` round."""
    n = np.array(normal) / np.linalg.norm(normal)
    return np.eye(len(n)) - 2 * np.outer(n, n)


def turns(order, axis):
    return rotation(2 * np.pi / order, axis)


TETRAHEDRAL = [turns(2, Z), turns(3, DIAGONAL)]
OCTAHEDRAL = [turns(4, Z), turns(3, DIAGONAL)]
ICOSAHEDRAL = [turns(5, (0, 1, GOLDEN)), turns(3, DIAGONAL)]
AXIAL = [rotation(GOLDEN_ANGLE, TILTED)]

GENERATORS = {
    "T": TETRAHEDRAL,
    "T_d": [*TETRAHEDRAL, mirror((1, -1, 0))],
    "T_h": [*TETRAHEDRAL, INVERSION],
    "O": OCTAHEDRAL,
    "O_h": [*OCTAHEDRAL, INVERSION],
    "I": ICOSAHEDRAL,
    "I_h": [*ICOSAHEDRAL, INVERSION],
    "D_4h": [turns(4, Z), turns(2, X), INVERSION],
    "C_3v": [turns(3, DIAGONAL), mirror((1, -1, 0))],
    "S_4": [-turns(4, TILTED)],
    "C_inf": AXIAL,
    "C_infv": [*AXIAL, mirror(ACROSS)],
    "C_infh": [*AXIAL, mirror(TILTED)],
    "D_inf": [*AXIAL, turns(2, ACROSS)],
    "D_infh": [*AXIAL, turns(2, ACROSS), INVERSION],
    "plane_C_5": [rotation(2 * np.pi / 5)],
    "plane_D_6": [rotation(np.pi / 3), mirror((1, 2))],
}


@pytest.fixture(scope="session")
def groups():
    """Groups by name.

    The classical, the polyhedral, some finite axial and every continuous axial one.
    """
    made = {name: Group.from_generators(matrices, name) for name, matrices in GENERATORS.items()}
    classical = {"O(3)": O3(), "SO(3)": SO3(), "O(2)": O2(), "SO(2)": SO2(), "trivial": trivial()}
    return made | classical


@pytest.fixture
def draw():
    """Elements of a group (count, d, d) as an array, from a fixed seed."""
    return lambda group, count=6, seed=0: group.sample(
        count, torch.Generator().manual_seed(seed)
    ).numpy()


@pytest.fixture
def float64():
    """PyTorch's default dtype is float64 within the test, as e3nn's constants need."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)
