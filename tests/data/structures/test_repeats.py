import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from scipy.spatial.transform import Rotation

from steerable.data.splits import Split
from steerable.data.structures import from_atoms
from steerable.data.structures.repeats import duplicates, shared_duplicates


@pytest.fixture
def random():
    return np.random.default_rng(3)


def copy(atoms, random):
    """The same molecule, turned, mirrored, moved and with its atoms in another order."""
    turn = Rotation.random(random_state=random.integers(1000)).as_matrix() * random.choice([1, -1])
    order = random.permutation(len(atoms))
    pos = atoms.positions @ turn.T + random.normal(size=3)
    cell = atoms.cell.array @ turn.T
    return Atoms(atoms.numbers[order], pos[order], cell=cell, pbc=atoms.pbc)


def test_copies_of_molecules(random):
    ethanol, ether, water = molecule("CH3CH2OH"), molecule("CH3OCH3"), molecule("H2O")
    longer = water.copy()
    longer.positions[1] *= 1.01
    frames = [ethanol, ether, copy(ethanol, random), water, longer, copy(water, random)]
    assert duplicates(from_atoms(frames)).tolist() == [0, 1, 0, 3, 4, 3]


def test_no_distance_of_a_copy_is_at_the_wrong_side_of_a_step(random):
    # All distances are halfway between two multiples of the tolerance.
    pos = np.array([[0.0, 0, 0], [1.0005, 0, 0], [0, 2.0005, 0], [0, 0, 1.5005]])
    frames = [Atoms("H4", pos)]
    frames += [copy(frames[0], random) for _ in range(50)]
    assert not duplicates(from_atoms(frames)).any()


def test_crystals(random):
    copper = bulk("Cu", cubic=True)
    copper.positions += 0.3
    moved = copper.copy()
    moved.wrap()
    moved.positions += 1.7
    moved.wrap()
    strained = copper.copy()
    strained.set_cell(copper.cell * 1.01, scale_atoms=True)
    frames = [
        copper,
        copy(copper, random),
        moved,
        strained,
        Atoms(copper.numbers, copper.positions),
    ]
    assert duplicates(from_atoms(frames)).tolist() == [0, 0, 0, 3, 4]


def test_oblique_cells_with_atoms_half_a_cell_apart(random):
    silicon = bulk("Si").repeat((2, 2, 1))
    frames = [silicon] + [copy(silicon, random) for _ in range(20)]
    assert not duplicates(from_atoms(frames)).any()


def test_atoms_alone():
    assert duplicates(from_atoms([Atoms("H"), Atoms("He"), Atoms("H")])).tolist() == [0, 1, 0]


def test_many_copies_and_many_frames(random):
    ethanol = molecule("CH3CH2OH")
    frames = [ethanol] * 500
    for _ in range(500):
        frames.append(ethanol.copy())
        frames[-1].rattle(0.05, rng=random)
    first = duplicates(from_atoms(frames))
    assert not first[:500].any() and np.array_equal(first[500:], np.arange(500, 1000))


def test_duplicates_over_a_split(random):
    water, methane = molecule("H2O"), molecule("CH4")
    frames = [water, methane, copy(water, random), copy(methane, random), molecule("NH3")]
    structures = from_atoms(frames)
    split = Split(np.array([0, 4]), np.array([1]), np.array([3, 2]))
    assert shared_duplicates(structures, split) == [(1, 3), (0, 2)]
    assert (
        shared_duplicates(structures, Split(np.array([0, 2]), np.array([1, 3]), split.test[:0]))
        == []
    )
