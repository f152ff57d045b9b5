"""Springs and sticks.

The numbers of the published program, the solved equations, and the symmetry that is left.
"""

import numpy as np
import pytest
from scipy.stats import ortho_group

from steerable.data.particles import springs
from steerable.data.particles.trajectories import kick_drift, trajectories
from steerable.ops.cache_folder import CACHE_VARIABLE

# What the authors' program gives for stiffness 50 and seed 43: system 1 at frame 40, its springs
# and lengths.
POSITION = [
    [1.533722527, 1.417330688, 0.498107639],
    [1.565299264, 0.967100523, 0.630781571],
    [-0.020398073, -0.531140857, 0.987624392],
    [0.880284711, 0.602904806, 1.108612825],
    [0.582824262, 2.121918793, 0.255228377],
]
SPRING = [[0, 0, 0, 1, 1], [0, 0, 1, 1, 0], [0, 1, 0, 1, 0], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]]
LENGTH = [0.455550303, 0.057389888, 0.805671476, 0.758195491, 0.11423325]


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory):
    """A cache folder of this file's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module", params=[0, 10, 50])
def simulated(request, folder):
    """Systems of each stiffness."""
    return springs.simulate(150, 25, 25, seed=43, stiffness=request.param)


def test_a_system_of_the_published_program(simulated):
    assert simulated.position.shape == simulated.velocity.shape == (200, 49, 5, 3)
    assert simulated.spring[1].tolist() == SPRING
    np.testing.assert_allclose(simulated.length[1], LENGTH, atol=1e-9)
    if simulated.stiffness == 50:
        np.testing.assert_allclose(simulated.position[1, 40], POSITION, atol=1e-8)


def test_the_solved_equations_are_the_floor(simulated):
    now, law = (simulated.position[:, 30], simulated.velocity[:, 30]), simulated[2:]
    error = ((springs.exact(*now, *law, time=1.0)[0] - simulated.position[:, 40]) ** 2).mean((1, 2))
    assert np.median(error) < (2e-6 if simulated.stiffness == 50 else 1e-8)
    assert error.mean() < (1e-3 if simulated.stiffness == 50 else 1e-8)
    # With velocities at the time of the positions hardly anything is left, where no force is cut.
    law_of_force = springs._force(simulated.spring.T, simulated.length.T, simulated.stiffness)
    kicked = now[1] + 0.0005 * law_of_force(np.ascontiguousarray(now[0].T)).T
    error = (
        (springs.exact(now[0], kicked, *law, time=1.0)[0] - simulated.position[:, 40]) ** 2
    ).mean((1, 2))
    assert np.median(error) < 1e-10
    stay = ((now[0] - simulated.position[:, 40]) ** 2).mean()
    assert stay == pytest.approx({0: 0.073, 10: 0.70, 50: 0.064}[simulated.stiffness], rel=0.15)


def test_exact_is_a_known_motion():
    """Two joined particles on sticks: their mean and their difference are oscillators."""
    k, length, time = 4.0, np.array([[0.3, 0.3]]), 1.7
    x = np.array([[[1.0, 0.0, 0.8], [-1.0, 0.0, 0.8]]])
    spring = np.array([[[0.0, 1.0], [1.0, 0.0]]])
    after, speed = springs.exact(x, np.zeros_like(x), spring, length, k, time)
    rate = np.sqrt(2 * 0.1)
    np.testing.assert_allclose(after[0, :, 0], np.cos(rate * time) * x[0, :, 0], rtol=1e-12)
    np.testing.assert_allclose(speed[0, :, 0], -rate * np.sin(rate * time) * x[0, :, 0], rtol=1e-12)
    np.testing.assert_allclose(after[0, :, 2], 0.3 + 0.5 * np.cos(2 * time), rtol=1e-12)
    still = springs.exact(x, np.zeros_like(x), spring, length, k, 0.0)
    np.testing.assert_allclose(still[0], x)


def test_energy(simulated):
    total = springs.energy(*simulated)
    np.testing.assert_allclose(np.median(np.abs(total / total[:, :1] - 1)), 0, atol=5e-3)
    x, v, e = simulated.position[3, 5], simulated.velocity[3, 5], simulated.spring[3]
    wanted = sum(
        v[i] @ v[i] / 2 + simulated.stiffness * (x[i, 2] - simulated.length[3, i]) ** 2 / 2
        for i in range(5)
    )
    wanted += sum(
        0.1 * e[i, j] * ((x[i] - x[j]) ** 2).sum() / 2 for i in range(5) for j in range(i)
    )
    assert total[3, 5] == pytest.approx(wanted, rel=1e-13)


def about_axis(determinant):
    """A random rotation about z, or a mirror that holds z."""
    turn = ortho_group.rvs(2, random_state=5)
    turn[0] *= np.sign(np.linalg.det(turn)) * determinant
    return np.block([[turn, np.zeros((2, 1))], [np.zeros((1, 2)), np.eye(1)]])


@pytest.mark.parametrize(
    ("stiffness", "element", "commutes"),
    [
        (0, ortho_group.rvs(3, random_state=0), True),
        (0, -ortho_group.rvs(3, random_state=0), True),
        (50, about_axis(1), True),
        (50, about_axis(-1), True),
        (50, ortho_group.rvs(3, random_state=0), False),
    ],
)
def test_the_symmetry_that_is_left(stiffness, element, commutes):
    start, spring, length = springs._draw(3, 5, np.random.RandomState(2))
    x, v = (
        part / 10 for part in start
    )  # so small that no force is cut: that commutes with few elements

    def move(x, v):
        return trajectories(
            (x, v), 2, kick_drift, lambda _: springs._force(spring.T, length.T, stiffness)
        )

    for turned, whole in zip(move(x @ element.T, v @ element.T), move(x, v), strict=True):
        assert (np.abs(turned - whole @ element.T).max() < 1e-12) == commutes


def test_bad_stiffness():
    with pytest.raises(ValueError, match="the stiffness of a stick is a number from 0; got -1"):
        springs.simulate(1, 0, 0, seed=1, stiffness=-1)
    with pytest.raises(ValueError, match="from 0; got nan"):
        springs.simulate(1, 0, 0, seed=1, stiffness=float("nan"))
