import numpy as np
import pytest
from ase.build import bulk, molecule
from scipy.stats import ortho_group

from data.structures.planted import crystals, molecules, shaken, structures_of
from steerable.data.structures import Column
from steerable.data.structures.traces import formulas, keys, kinds, same, traces


def duplicates(structures):
    return same(kinds(structures), traces(structures))


def moved(atoms, seed, digits):
    """Atoms rotated or reflected, shifted, in another order and rounded; crystals wrapped too."""
    random = np.random.default_rng(seed)
    turn = ortho_group.rvs(3, random_state=random)
    copy = atoms.copy()
    copy.positions += random.normal(size=3)
    if copy.pbc.any():
        copy.wrap()
        copy.set_cell(copy.cell.array @ turn)
    copy.positions = np.round(copy.positions @ turn, digits)
    return copy[random.permutation(len(copy))]


def test_molecules_are_different_and_their_moved_copies_are_the_same():
    atoms = molecules()
    count = len(atoms)
    np.testing.assert_array_equal(duplicates(structures_of(atoms)), np.arange(count))
    both = atoms + [moved(one, seed, 4) for seed, one in enumerate(atoms)]
    np.testing.assert_array_equal(duplicates(structures_of(both)), np.tile(np.arange(count), 2))


def test_crystals_moved_and_wrapped_are_the_same():
    atoms = [*crystals(), *shaken(bulk("Cu", cubic=True), 5)]
    both = atoms + [moved(one, seed, 5) for seed, one in enumerate(atoms)]
    expected = np.tile(np.arange(len(atoms)), 2)
    np.testing.assert_array_equal(duplicates(structures_of(both)), expected)


@pytest.mark.parametrize("atoms", [molecule("C6H6"), bulk("Si", cubic=True)], ids=["C6H6", "Si"])
def test_neighbouring_frames_are_different(atoms):
    frames = [atoms, *shaken(atoms, 30, size=0.01)]
    np.testing.assert_array_equal(duplicates(structures_of(frames)), np.arange(31))


def test_one_atom_that_moves_in_a_large_system_makes_another_structure():
    atoms = bulk("Cu", cubic=True) * (5, 5, 5)
    for pbc in (True, False):
        atoms.pbc = pbc
        other = atoms.copy()
        other.positions[7] += [0.05, 0, 0]
        assert duplicates(structures_of([atoms, other])).tolist() == [0, 1]


def test_many_copies_take_no_pairs_of_copies():
    atoms = [moved(molecule("H2O"), seed, 6) for seed in range(300)] * 40
    assert not duplicates(structures_of(atoms)).any()


def test_charge_and_spin_tell_structures_apart():
    atoms = [molecule("OH")] * 4
    plain = structures_of(atoms, energy=np.arange(4.0))
    assert duplicates(plain).tolist() == [0, 0, 0, 0]
    charge, spin = Column(np.array([0.0, 0, 1, 1])), Column(np.array([2, 2, 1, 3]))
    assert duplicates(plain.with_columns({"charge": charge, "spin": spin})).tolist() == [0, 0, 2, 3]


def test_structures_that_cannot_be_compared_stand_alone():
    broken = molecule("H2O")
    broken.positions[0, 0] = np.nan
    crowded = bulk("Cu") * (2, 2, 2)
    crowded.set_cell(crowded.cell / 10, scale_atoms=True)
    assert duplicates(structures_of([broken, broken, crowded, crowded])).tolist() == [0, 1, 2, 3]


def test_keys_are_of_the_exact_numbers():
    water = molecule("H2O")
    near = water.copy()
    near.positions[0, 0] = np.nextafter(near.positions[0, 0], 1)
    boxed = water.copy()
    boxed.cell = [9, 9, 9]
    texts = keys(structures_of([water, water, near, boxed, water[[1, 0, 2]]]))
    assert texts[0] == texts[1] and len(set(texts)) == 4


def test_formulas_count_elements_in_any_order():
    water = molecule("H2O")
    texts = formulas(structures_of([water, water[[2, 0, 1]], molecule("H2"), molecule("OH")]))
    assert texts[0] == texts[1] and len(set(texts)) == 3
