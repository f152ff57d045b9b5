"""Lattices against their definitions."""

import numpy as np
import torch

from steerable.ops.neighbours.lattice import lattices

CELL = torch.tensor([[2.0, 0.3, -0.1], [0.5, 3.0, 0.2], [-0.4, 0.1, 1.5]], dtype=torch.float64)


def test_directions_without_period_are_normal_to_the_others():
    pbc = torch.cartesian_prod(*[torch.tensor([False, True])] * 3)
    lattice = lattices(CELL, pbc, 8, 3)
    for vectors, periodic in zip(lattice.vectors, lattice.periodic, strict=True):
        assert np.array_equal(vectors[periodic], CELL.numpy()[periodic])
        gram = vectors @ vectors.T
        free = ~periodic
        np.testing.assert_allclose(gram[free], np.eye(3)[free], atol=1e-14)
    np.testing.assert_allclose(lattice.volumes[0], 1)
    np.testing.assert_allclose(lattice.volumes[-1], abs(np.linalg.det(CELL.numpy())))
    area = np.linalg.norm(np.cross(CELL[1], CELL[2]))
    np.testing.assert_allclose(lattice.volumes[3], area)


def test_heights_are_volumes_over_faces():
    (heights,) = lattices(CELL, True, 1, 3).heights
    volume = abs(np.linalg.det(CELL.numpy()))
    for axis in range(3):
        face = np.cross(CELL[(axis + 1) % 3], CELL[(axis + 2) % 3])
        np.testing.assert_allclose(heights[axis], volume / np.linalg.norm(face))
