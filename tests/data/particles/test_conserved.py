"""Conserved quantities against sums written out."""

import numpy as np
import pytest

from steerable.data.particles.conserved import (
    angular_momentum,
    kinetic_energy,
    momentum,
    pair_distances,
)

X, V = np.random.RandomState(0).randn(2, 2, 3, 4, 3)
MASS = np.random.RandomState(1).rand(2, 4)


@pytest.mark.parametrize("mass", [None, MASS, MASS[0]], ids=["one", "of each system", "of all"])
def test_sums_over_particles(mass):
    full = np.ones((2, 4)) if mass is None else np.broadcast_to(mass, (2, 4))
    for s in range(2):
        for f in range(3):
            m, x, v = full[s], X[s, f], V[s, f]
            linear = sum(m[i] * v[i] for i in range(4))
            angular = sum(m[i] * np.cross(x[i], v[i]) for i in range(4))
            kinetic = sum(m[i] * (v[i] @ v[i]) / 2 for i in range(4))
            np.testing.assert_allclose(momentum(V, mass)[s, f], linear, rtol=1e-13)
            np.testing.assert_allclose(angular_momentum(X, V, mass)[s, f], angular, rtol=1e-12)
            np.testing.assert_allclose(kinetic_energy(V, mass)[s, f], kinetic, rtol=1e-13)


def test_pairs_come_in_order():
    found = pair_distances(X)
    assert found.shape == (2, 3, 6)
    pairs = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    for k, (i, j) in enumerate(pairs):
        np.testing.assert_allclose(
            found[1, 2, k], np.linalg.norm(X[1, 2, i] - X[1, 2, j]), rtol=1e-14
        )
    assert pair_distances(X[:, :, :1]).shape == (2, 3, 0)


def test_particles_at_one_place_are_named():
    x = X.copy()
    x[1, 0, 3] = x[1, 0, 1]
    with pytest.raises(
        ValueError, match=r"particles 1 and 3 of \(system, frame\) = \(1, 0\) are at one place"
    ):
        pair_distances(x)
