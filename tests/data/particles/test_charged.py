"""Charged particles: numbers of the published program, its rules, and what physics keeps."""

import numpy as np
import pytest

from steerable.data.particles import charged
from steerable.data.particles.conserved import angular_momentum, momentum
from steerable.data.particles.trajectories import DT, EVERY, kick_drift, trajectories
from steerable.ops.cache_folder import CACHE_VARIABLE

# What the authors' program gives with --num-train 10000 --seed 43 --sufix small, for the training
# system 20 (as the first 20 draw nothing that depends on their motion) and the test system 1980:
# charges, and positions at frame 40.
PUBLISHED = {
    20: (
        [1, 1, 1, -1, -1],
        [
            [-0.363941221, 0.138257078, 0.659553133],
            [2.067681858, 3.236084959, 2.351649223],
            [1.4543289, -2.927138529, -0.779204874],
            [-3.143679808, 0.076661945, -0.231233845],
            [0.150267998, 1.156939294, 0.411330525],
        ],
    ),
    13980: (
        [1, -1, 1, -1, -1],
        [
            [2.499372627, -1.240808992, 0.877819728],
            [2.328581797, -0.916243067, 1.119369598],
            [-1.07221387, -1.388737429, 1.856093318],
            [0.07569374, -1.390461584, 1.060415602],
            [-4.089725004, -0.35774747, -0.299795546],
        ],
    ),
}


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory):
    """A cache folder of this file's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def simulated(folder):
    """The first systems of the benchmark."""
    return charged.simulate(15, 3, 6, seed=43)


def test_shapes(simulated):
    assert simulated.position.shape == simulated.velocity.shape == (24, 49, 5, 3)
    assert simulated.charge.shape == (24, 5)
    assert {part.dtype for part in simulated} == {np.dtype(np.float64)}
    assert set(np.unique(simulated.charge)) == {-1.0, 1.0}


def test_a_training_system_of_the_benchmark(simulated):
    charge, position = PUBLISHED[20]
    assert simulated.charge[20].tolist() == charge
    np.testing.assert_allclose(simulated.position[20, 40], position, atol=1e-6)


def test_a_test_system_of_the_benchmark():
    (position, velocity), charge = charged._draw(13_981, 5, np.random.RandomState(43))
    wanted, place = PUBLISHED[13980]
    assert charge[-1].tolist() == wanted
    found, _ = trajectories(
        (position[-1:], velocity[-1:]), 41, kick_drift, lambda _: charged._force(charge[-1:].T)
    )
    np.testing.assert_allclose(found[0, 40], place, atol=1e-6)


def test_twenty_particles_as_the_published_program_has_them():
    (position, velocity), charge = charged._draw(1, 20, np.random.RandomState(43))
    assert charge[0].tolist() == [
        -1,
        1,
        -1,
        -1,
        -1,
        1,
        1,
        1,
        -1,
        1,
        -1,
        1,
        -1,
        -1,
        1,
        -1,
        -1,
        -1,
        -1,
        1,
    ]
    found, _ = trajectories(
        (position, velocity), 11, kick_drift, lambda _: charged._force(charge.T)
    )
    wanted = [[0.421164115, -0.794882174, -2.165279487], [-0.909716659, 2.231100236, 1.155846527]]
    np.testing.assert_allclose(found[0, 10, :2], wanted, atol=1e-6)


def step_by_step(x, v, q):
    """One frame by the rules, particle by particle."""
    x, v = x.copy(), v.copy()
    for _ in range(EVERY):
        force = np.zeros_like(x)
        for i in range(len(q)):
            for j in range(len(q)):
                if i != j:
                    force[i] += q[i] * q[j] * (x[i] - x[j]) / np.linalg.norm(x[i] - x[j]) ** 3
        v += DT * np.clip(force, -100, 100)
        x += DT * v
    return x, v


def test_a_frame_is_a_hundred_steps_of_the_rules(simulated):
    for system in range(3):
        x, v = step_by_step(
            simulated.position[system, 7], simulated.velocity[system, 7], simulated.charge[system]
        )
        np.testing.assert_allclose(simulated.position[system, 8], x, atol=1e-10)
        np.testing.assert_allclose(simulated.velocity[system, 8], v, atol=1e-9)


def test_forces_are_cut():
    x, v, q = np.array([[0.0, 0, 0], [0.05, 0.001, 0]]), np.zeros((2, 3)), np.array([1.0, 1.0])
    found = trajectories((x[None], v[None]), 1, kick_drift, lambda _: charged._force(q[:, None]))
    np.testing.assert_allclose([part[0, 0] for part in found], step_by_step(x, v, q), atol=1e-10)
    assert charged._force(q[:, None])(x.T[:, :, None])[0].ravel().tolist() == [-100, 100]


def test_the_start():
    (position, velocity), _ = charged._draw(300, 100, np.random.RandomState(0))
    np.testing.assert_allclose(np.linalg.norm(velocity, axis=-1), 0.5, rtol=1e-14)
    assert (np.abs(position) <= 5).all()
    drawn = np.random.RandomState(0)
    drawn.random_sample(100)
    free = drawn.randn(3, 100).T * 20 ** (1 / 3)
    out = np.abs(free) > 5
    assert out.any()
    np.testing.assert_allclose(position[0][~out], free[~out], rtol=1e-14)
    np.testing.assert_allclose(np.abs(position[0][out]) - 5, 5 - np.abs(free[out]), atol=1e-14)
    assert (position[0][out] * velocity[0][out] < 0).all()


def test_what_physics_keeps():
    """Of charges that repel each other, so that no force is cut.

    Velocities are brought to the time of positions.
    """
    start, _ = charged._draw(8, 5, np.random.RandomState(0))
    charge = np.ones((8, 5))
    position, velocity = trajectories(
        start, 10, kick_drift, lambda block: charged._force(charge[block].T)
    )
    force = [charged._force(charge.T)(np.ascontiguousarray(x.T)).T for x in position.swapaxes(0, 1)]
    total = charged.energy(position, velocity + DT / 2 * np.stack(force, 1), charge)
    np.testing.assert_allclose(total, np.broadcast_to(total[:, :1], total.shape), rtol=1e-4)
    for kept in (momentum(velocity), angular_momentum(position, velocity)):
        np.testing.assert_allclose(kept, np.broadcast_to(kept[:, :1], kept.shape), atol=1e-11)


def test_energy_by_hand(simulated):
    x, v, q = simulated.position[3, 5], simulated.velocity[3, 5], simulated.charge[3]
    wanted = sum(v[i] @ v[i] / 2 for i in range(5))
    wanted += sum(q[i] * q[j] / np.linalg.norm(x[i] - x[j]) for i in range(5) for j in range(i))
    assert charged.energy(*simulated)[3, 5] == pytest.approx(wanted, rel=1e-13)


def test_coincident_particles_have_no_energy(simulated):
    position = simulated.position.copy()
    position[2, 4, 1] = position[2, 4, 0]
    with pytest.raises(
        ValueError, match=r"particles 0 and 1 of \(system, frame\) = \(2, 4\) are at one place"
    ):
        charged.energy(position, simulated.velocity, simulated.charge)


def test_parts_are_drawn_in_a_row(simulated):
    fewer = charged.simulate(2, 0, 0, seed=43)
    for part, whole in zip(fewer, simulated, strict=True):
        np.testing.assert_array_equal(part, whole[:2])
    assert not (charged.simulate(2, 0, 0, seed=44).position == fewer.position).any()


def test_no_systems_and_bad_numbers():
    assert charged.simulate(0, 0, 0, seed=1).position.shape == (0, 49, 5, 3)
    assert charged.simulate(1, 0, 0, seed=1, particles=1).position.shape == (1, 49, 1, 3)
    with pytest.raises(ValueError, match="at least 0; got num_train=-1"):
        charged.simulate(-1, 0, 0, seed=1)
    with pytest.raises(ValueError, match="Seed must be between"):
        charged.simulate(1, 0, 0, seed=-1)
