"""Structures of ASE's molecules and crystals, in which faults are planted."""

import numpy as np
from ase.build import bulk, molecule
from ase.collections import g2

from steerable.data.structures import Column, Structures


def structures_of(atoms, **columns):
    """Structures of ASE's atoms; a column is a Column, or numbers of the structures."""
    sizes = np.array([len(one) for one in atoms])
    return Structures(
        np.concatenate([one.numbers for one in atoms]).astype(np.int64),
        np.concatenate([one.positions for one in atoms]).astype(float),
        np.concatenate([[0], sizes.cumsum()]).astype(np.int64),
        np.array([one.cell.array for one in atoms]),
        np.array([one.pbc for one in atoms]),
        {
            name: values if isinstance(values, Column) else Column(np.asarray(values))
            for name, values in columns.items()
        },
        np.full(len(atoms), "small.xyz"),
        np.arange(len(atoms)),
    )


def molecules():
    """The 162 molecules of G2."""
    return [molecule(name) for name in g2.names]


def shaken(atoms, count, size=0.05, seed=0):
    """Copies whose atoms are moved at random, by `size` Angstrom."""
    random = np.random.default_rng(seed)
    copies = [atoms.copy() for _ in range(count)]
    for one in copies:
        one.positions += size * random.normal(size=one.positions.shape)
    return copies


def crystals():
    """Crystals of several kinds."""
    names = ["Cu", "Al", "Si", "Na", "Fe", "Mg", "K", "Pb"]
    rock = [bulk(name, "rocksalt", a) for name, a in (("NaCl", 5.64), ("MgO", 4.21))]
    return [bulk(name) * (2, 2, 2) for name in names] + rock


def energies_of(atoms, seed=0):
    """Total energies in eV: sums over atoms of about -10 Z, and noise of 0.05 eV an atom."""
    noise = np.random.default_rng(seed).normal(size=len(atoms))
    rows = zip(atoms, noise, strict=True)
    return np.array([-10.0 * one.numbers.sum() + 0.05 * len(one) * x for one, x in rows])
