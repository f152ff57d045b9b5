"""Pictures of structures."""

import numpy as np
import pytest
from ase.build import bulk, molecule
from ase.io import write
from matplotlib.image import imread
from scipy.spatial.transform import Rotation

from steerable.report import draw_worst, worst_line
from steerable.report.worst import bonds, flat


@pytest.mark.parametrize(("name", "count"), [("C6H6", 12), ("CH3CH2OH", 8), ("HCN", 2), ("H2O", 2)])
def test_bonds_are_those_of_the_molecule(name, count):
    atoms = molecule(name)
    assert bonds(atoms.numbers, atoms.positions).shape == (2, count)


def test_a_flat_molecule_is_seen_from_above():
    positions = molecule("C6H6").positions @ Rotation.random(random_state=0).as_matrix().T
    places = flat(positions)
    assert np.abs(places[:, 2]).max() < 1e-9
    distances = [np.linalg.norm(x[:, None] - x, axis=2) for x in (positions, places)]
    np.testing.assert_allclose(*distances, atol=1e-9)


@pytest.mark.parametrize("count", [1, 5, 10])
def test_structures_are_drawn(tmp_path, count):
    frames = [molecule("CH3CH2OH"), molecule("O"), bulk("NaCl", "rocksalt", 5.6) * (2, 2, 2)] * 4
    for k, atoms in enumerate(frames):
        atoms.info |= {"true": 1.0, "predicted": 1.5, "unit": "eV", "index": k}
    write(tmp_path / "worst.xyz", frames[:count], format="extxyz")
    image = imread(draw_worst(tmp_path / "worst.xyz", tmp_path / "worst.png", "gap", "meV"))
    assert image.std() > 0.02
    assert image.shape[0] < 1100


def test_five_items_are_in_the_line():
    worst = [
        {"index": k, "name": f"gdb_{k}", "formula": "CH4", "error": -1.0 / (k + 1), "unit": "eV"}
        for k in range(10)
    ]
    line = worst_line("gap", worst, "meV")
    assert line.startswith("largest errors of gap [meV]: gdb_0 CH4 -1,000, gdb_1 CH4 -500, ")
    assert line.count("gdb_") == 5
    assert worst_line("y", [{"index": 3, "error": 0.5, "unit": ""}]).endswith("#3 +0.500")
