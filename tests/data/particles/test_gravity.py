"""Gravity: the numbers of the published program, its rules step by step, and what physics keeps."""

import numpy as np
import pytest

from steerable.data.particles import gravity
from steerable.data.particles.conserved import angular_momentum, momentum
from steerable.data.particles.trajectories import DT, EVERY
from steerable.ops.cache_folder import CACHE_VARIABLE

# What the authors' program gives for --simulation=gravity --n_balls 4 --seed 43: system 1 at frame
# 40.
POSITION = [
    [2.510451359, 5.494827381, -6.872905188],
    [1.137860001, -4.006304577, 3.833762739],
    [-1.364189838, -2.008838174, 0.328711432],
    [-3.072725774, 1.280430166, 3.728757258],
]
VELOCITY = [
    [0.821876655, 1.17955792, -1.654748678],
    [-0.112559194, -0.634359653, 0.688036524],
    [0.137016282, -0.685061531, -0.075828691],
    [-0.846333743, 0.139863264, 1.042540845],
]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """A few small systems."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        yield gravity.simulate(6, 1, 1, seed=43, particles=4)


def test_a_system_of_the_published_program(simulated):
    assert simulated.position.shape == simulated.velocity.shape == (8, 50, 4, 3)
    assert (simulated.mass == np.ones((8, 4))).all()
    np.testing.assert_allclose(simulated.position[1, 40], POSITION, atol=1e-6)
    np.testing.assert_allclose(simulated.velocity[1, 40], VELOCITY, atol=1e-6)


def test_a_frame_is_a_hundred_steps_of_the_rules(simulated):
    def pull(x):
        r = x[None] - x[:, None]
        return (r / ((r * r).sum(-1, keepdims=True) + 0.01) ** 1.5).sum(1)

    for first in (0, 7):
        x, v = simulated.position[2, first].copy(), simulated.velocity[2, first].copy()
        for _ in range(EVERY):
            v += DT / 2 * pull(x)
            x += DT * v
            v += DT / 2 * pull(x)
        np.testing.assert_allclose(simulated.position[2, first + 1], x, atol=1e-10)
        np.testing.assert_allclose(simulated.velocity[2, first + 1], v, atol=1e-10)


def test_what_physics_keeps(simulated):
    total = gravity.energy(*simulated)
    np.testing.assert_allclose(total, np.broadcast_to(total[:, :1], total.shape), rtol=1e-3)
    np.testing.assert_allclose(momentum(simulated.velocity, simulated.mass), 0, atol=1e-12)
    turning = angular_momentum(*simulated)
    np.testing.assert_allclose(turning, np.broadcast_to(turning[:, :1], turning.shape), atol=1e-11)


def test_energy_by_hand(simulated):
    x, v = simulated.position[3, 5], simulated.velocity[3, 5]
    mass = np.array([1.0, 2.0, 3.0, 4.0])
    wanted = sum(mass[i] * (v[i] @ v[i]) / 2 for i in range(4))
    wanted -= sum(
        mass[i] * mass[j] / np.sqrt(((x[i] - x[j]) ** 2).sum() + 0.01)
        for i in range(4)
        for j in range(i)
    )
    assert gravity.energy(x[None, None], v[None, None], mass[None])[0, 0] == pytest.approx(
        wanted, rel=1e-13
    )


def test_bodies_at_one_place_pull_nothing():
    assert (gravity._force(np.zeros((3, 4, 2))) == 0).all()


def test_bad_numbers():
    with pytest.raises(ValueError, match="1 to 10,000 particles; got -5"):
        gravity.simulate(1, 0, 0, seed=1, particles=-5)
