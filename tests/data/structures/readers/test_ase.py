import warnings

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read as ase_read
from ase.io import write as ase_write

from data.structures.compare import assert_same
from steerable.data.structures import ReadError, from_atoms, read


def frames(count=3):
    result = []
    for k in range(count):
        atoms = bulk("NaCl", "rocksalt", a=5.6)
        atoms.rattle(0.1, seed=k)
        atoms.calc = SinglePointCalculator(atoms, energy=-1.0 - k, forces=np.full((2, 3), k / 7))
        result.append(atoms)
    return result


@pytest.mark.parametrize(
    ("name", "count"),
    [("a.traj", 3), ("a.cif", 3), ("POSCAR", 1), ("a.pdb", 3), ("a.xsf", 3), ("XDATCAR", 3)],
)
def test_every_record_of_formats_of_ase(tmp_path, name, count):
    path = tmp_path / name
    atoms = frames(count)
    if name == "a.pdb":  # which has no forces
        atoms = [Atoms(one.symbols, one.positions, cell=one.cell, pbc=True) for one in atoms]
    if name == "XDATCAR":
        for one in atoms:
            one.set_constraint()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ase_write(path, atoms if count > 1 else atoms[0])
        structures = read(path)
        expected = ase_read(path, ":")
    assert len(structures) == count == len(expected)
    assert_same(structures, from_atoms(expected))
    assert structures.source.tolist() == [name] * count
    assert structures.frame.tolist() == list(range(count))


def test_the_format_of_ase_is_said(tmp_path):
    path = tmp_path / "crystal"
    ase_write(path, frames()[0], format="vasp")
    assert read(path, format="vasp").z.tolist() == [11, 17]


@pytest.mark.parametrize(("name", "form"), [("a.gro", "gromacs"), ("a.gen", "gen")])
def test_several_structures_of_which_ase_reads_one(tmp_path, name, form):
    path = tmp_path / name
    ase_write(path, molecule("H2O", cell=[9, 9, 9]), format=form)
    assert len(read(path)) == 1
    path.write_text(path.read_text() * 3)
    with pytest.raises(ReadError, match="3 structures, and ASE reads one"):
        read(path)


def test_files_that_nobody_knows(tmp_path):
    path = tmp_path / "a.pages"
    path.write_text("nothing of interest")
    with pytest.raises(ReadError, match="no format is known"):
        read(path)


def test_broken_files_are_named(tmp_path):
    path = tmp_path / "a.traj"
    ase_write(path, frames())
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(ReadError, match=r"a\.traj: ASE cannot read it as traj"):
        read(path)
