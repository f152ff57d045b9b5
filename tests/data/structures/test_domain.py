import json

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule

from steerable.data.structures import Column, Structures
from steerable.data.structures.contacts import contacts, fragments
from steerable.data.structures.domain import (
    Domain,
    differences,
    domain_of,
    multiplicity,
    total_charge,
)


def structures(*frames, **columns):
    """Structures of ASE's atoms, with a number of each as columns."""
    ends = np.concatenate([[0], np.cumsum([len(atoms) for atoms in frames])]).astype(np.int64)
    return Structures(
        np.concatenate([atoms.numbers for atoms in frames]).astype(np.int64),
        np.concatenate([atoms.positions for atoms in frames]),
        ends,
        np.stack([np.array(atoms.cell) for atoms in frames]),
        np.stack([atoms.pbc for atoms in frames]),
        {name: Column(np.array(values)) for name, values in columns.items()},
    )


def water(shift=0.0):
    atoms = molecule("H2O")
    atoms.translate([shift, 0, 0])
    return atoms


@pytest.fixture
def domain():
    frames = [molecule("CH4")] * 60 + [water()] * 30 + [molecule("CH3OH")]
    return domain_of(structures(*frames))


def test_a_domain_counts(domain):
    assert (domain.count, domain.sizes, domain.fragments) == (91, (3, 6), 1)
    assert domain.elements == {1: (91, 304), 6: (61, 61), 8: (31, 31)}
    assert (domain.charges, domain.spins) == ((0.0,), (1.0,))
    assert domain.distances[1, 8] == pytest.approx(
        min(molecule(name).get_all_distances()[molecule(name).numbers == 8][0][k]
            for name, k in (("H2O", 1), ("H2O", 2), ("CH3OH", 3)))
    )  # fmt: skip
    assert (domain.lone, domain.periodic, domain.densities) == (0, 0, None)


def test_a_domain_survives_json(domain):
    read = Domain.read(json.loads(json.dumps(domain.as_dict())))
    assert read.as_dict() == domain.as_dict()
    assert read.elements == domain.elements


def test_structures_of_the_training_set_have_no_notes(domain):
    assert differences(structures(molecule("CH4"), water()), domain) == [[], []]


def test_what_is_unlike_is_noted(domain):
    pressed = water()
    pressed.positions[1] = pressed.positions[0] + [0.5, 0.0, 0.0]
    frames = [
        molecule("C6H6"),
        water() + water(20.0),
        Atoms("C"),
        pressed,
        water(),
    ]
    notes = differences(structures(*frames, charge=[0, 0, 0, 0, -1], spin=[1, 1, 1, 1, 3]), domain)
    assert notes[0] == ["12 atoms, training had 3 to 6"]
    assert notes[1] == ["2 separate fragments, training had 1"]
    assert notes[2] == ["1 atom, training had 3 to 6", "1 lone atom"]
    assert notes[3] == ["H-O at 0.50 A, training had 0.97 or more"]
    assert notes[4] == ["charge -1, training had 0", "spin 3, training had 1"]


def test_rare_elements_are_noted():
    frames = [molecule("CH4")] * 200 + [molecule("SiH4")]
    rows = differences(structures(molecule("SiH4")), domain_of(structures(*frames)))
    assert rows == [["Si in 1 training structure only"]]


def test_charges_and_spins_follow_from_atoms_where_they_are_missing():
    two = structures(water(), water())
    charges = Column(np.array([-1.1, 0.05, 0.05, 0.5, 0.25, 0.25]), "atom")
    known = Column(np.array([0.0, 2.0]), known=np.array([False, True]))
    columns = {"initial_charges": charges, "charge": known, "initial_magmoms": charges}
    assert total_charge(two.with_columns(columns)).tolist() == [-1.0, 2.0]
    assert multiplicity(two.with_columns(columns)).tolist() == [2.0, 2.0]
    assert total_charge(two).tolist() == [0.0, 0.0]
    assert multiplicity(two).tolist() == [1.0, 1.0]


def test_fragments_are_those_of_a_search_in_depth():
    random = np.random.default_rng(0)
    pairs = random.integers(0, 60, (2, 40))
    pairs = np.concatenate([pairs, pairs[::-1]], 1)
    expected = np.full(60, -1)
    for atom in range(60):
        waiting = [atom] if expected[atom] < 0 else []
        while waiting:
            here = waiting.pop()
            expected[here] = atom
            waiting += [k for k in pairs[1, pairs[0] == here] if expected[k] < 0]
    assert (fragments(60, pairs) == expected).all()


def test_bonds_of_ethanol():
    pairs, distance = contacts(structures(molecule("CH3CH2OH"), water(50.0)))
    assert pairs.shape == (2, 2 * (8 + 2))
    assert distance.max() < 1.6
