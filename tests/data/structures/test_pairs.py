import numpy as np
from ase.build import bulk, molecule
from ase.neighborlist import neighbor_list

from data.structures.planted import structures_of
from steerable.data.structures.pairs import pairs_within


def test_pairs_are_those_of_ase():
    atoms = [molecule("CH3OH"), bulk("Cu"), bulk("NaCl", "rocksalt", 5.64, cubic=True)]
    pairs = pairs_within(structures_of(atoms), 4.0)
    first = np.cumsum([0, *map(len, atoms)])
    for k, one in enumerate(atoms):
        i, j, d = neighbor_list("ijd", one, 4.0)
        rows = pairs.structure == k
        target, source = pairs.target[rows] - first[k], pairs.source[rows] - first[k]
        order = np.lexsort((pairs.distance[rows].round(8), source, target))
        expected = np.lexsort((d.round(8), j, i))
        np.testing.assert_array_equal(target[order], i[expected])
        np.testing.assert_array_equal(source[order], j[expected])
        np.testing.assert_allclose(pairs.distance[rows][order], d[expected], atol=1e-12)


def test_no_atoms_have_no_pairs():
    none = structures_of([molecule("H2O")]).select(np.zeros(1, dtype=bool))
    assert all(len(values) == 0 for values in pairs_within(none, 2.0))
