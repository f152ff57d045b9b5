import numpy as np
import pytest
from ase.build import bulk, fcc111, molecule

from data.structures.planted import structures_of
from steerable.data.structures.cells import densities, is_searchable, volumes


def test_volumes_and_densities_of_crystals():
    structures = structures_of([bulk("Cu"), bulk("Si", cubic=True), molecule("H2O")])
    np.testing.assert_allclose(volumes(structures), [3.61**3 / 4, 5.43**3, np.nan])
    density = densities(structures)
    assert density[:2] == pytest.approx([8.96, 2.33], rel=0.01) and np.isnan(density[2])


def test_slabs_repeat_in_a_plane_and_have_no_volume():
    slab = fcc111("Cu", (2, 2, 3), vacuum=None, periodic=False)
    structures = structures_of([slab])
    assert np.isnan(volumes(structures)[0]) and is_searchable(structures)[0]


def test_structures_whose_neighbours_cannot_be_searched():
    water, copper = molecule("H2O"), bulk("Cu")
    broken, tight, flat, infinite = water.copy(), copper.copy(), copper.copy(), copper.copy()
    broken.positions[1, 2] = np.inf
    tight.set_cell(tight.cell / 10, scale_atoms=True)
    flat.cell[2] = 0
    infinite.cell[0, 0] = np.nan
    atoms = [water, broken, copper, tight, flat, infinite]
    assert is_searchable(structures_of(atoms)).tolist() == [True, False, True] + [False] * 3
