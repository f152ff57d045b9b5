"""Water: closed forms, order of the method, conservation, symmetries, rough water."""

import math

import numpy as np
import pytest
import torch

from steerable.data import fluids
from steerable.data.fluids import random_water, shallow_water
from steerable.field import Field
from steerable.groups import O2, dihedral


def grid(points, length=math.tau):
    side = np.arange(points) * (length / points)
    return np.meshgrid(side, side, indexing="ij")


def test_cole_and_hopf():
    """Without gravity v = -2 nu grad log p solves the equations where p_t = nu Laplace p.

    Any p > 0 does.
    """
    nu, (x, y) = 0.2, grid(48)

    def velocity(t):
        a, b = math.exp(-nu * t) * 0.4, math.exp(-5 * nu * t) * 0.2
        p = 1 + a * np.cos(x - 0.3) + b * np.sin(2 * x + y)
        p_x, p_y = -a * np.sin(x - 0.3) + 2 * b * np.cos(2 * x + y), b * np.cos(2 * x + y)
        return -2 * nu * np.stack([p_x, p_y]) / p

    start = np.concatenate([np.zeros((1, 48, 48)), velocity(0.0)])
    film = shallow_water(start[None], 3, 0.15, nu, gravity=0.0)[0]
    for k in range(3):
        np.testing.assert_allclose(film[k, 1:], velocity(0.15 * k), atol=5e-6)
    assert abs(film[2, 1:] - film[0, 1:]).max() > 0.05


def test_a_shear_flow_only_decays():
    length, nu, (x, y) = 3.0, 0.1, grid(16, 3.0)
    k = math.tau / length * np.array([1, 2])
    phase = k[0] * x + k[1] * y + 0.4
    start = np.stack([0 * x, -k[1] * np.cos(phase), k[0] * np.cos(phase)])
    film = shallow_water(start[None], 4, 0.3, nu, length=length)[0]
    decay = np.exp(-nu * (k @ k) * 0.3 * np.arange(4))
    np.testing.assert_allclose(film, decay[:, None, None, None] * start, atol=1e-12)


def test_low_waves_follow_the_linear_equations():
    """i k (k_x, k_y) of heights and velocities by the exponential of the matrix of one wave."""
    g, depth, nu, (x, y) = 2.0, 0.7, 0.05, grid(16)
    k, size = np.array([2.0, 1.0]), np.array([1.0, 0.3 + 0.4j, -0.5j])
    matrix = np.zeros((3, 3), dtype=complex)
    matrix[0, 1:], matrix[1:, 0] = -1j * depth * k, -1j * g * k
    matrix[1:, 1:] = -nu * (k @ k) * np.eye(2)
    wave = np.exp(1j * (k[0] * x + k[1] * y))
    film = shallow_water(1e-7 * (size[:, None, None] * wave).real[None], 4, 0.05, nu, g, depth)[0]
    for n in range(4):
        moved = torch.matrix_exp(torch.from_numpy(0.05 * n * matrix)).numpy() @ size
        np.testing.assert_allclose(film[n] * 1e7, (moved[:, None, None] * wave).real, atol=2e-6)


def test_the_rate_is_that_of_the_equations():
    """In a short time, against derivatives of the waves of the start written by hand."""
    g, depth, nu, (x, y) = 1.3, 0.9, 0.07, grid(24)
    h, v, w = 0.2 * np.sin(x + y), 0.3 * np.cos(x) + 0.1, 0.2 * np.sin(x - 2 * y)
    h_x, v_x, w_x, w_y = (
        0.2 * np.cos(x + y),
        -0.3 * np.sin(x),
        0.2 * np.cos(x - 2 * y),
        -0.4 * np.cos(x - 2 * y),
    )
    rise = -(depth + h) * (v_x + w_y) - v * h_x - w * h_x
    rate = np.stack(
        [rise, -v * v_x - g * h_x - nu * (v - 0.1), -v * w_x - w * w_y - g * h_x - 5 * nu * w]
    )
    start, time = np.stack([h, v, w]), 1e-5
    film = shallow_water(start[None], 2, time, nu, g, depth)[0]
    np.testing.assert_allclose((film[1] - film[0]) / time, rate, atol=2e-5)


def test_the_method_is_of_order_four(monkeypatch):
    start, ends = random_water(1, 24, seed=1, waves=1.0), []
    for courant in (2.0, 1.0, 0.1):
        monkeypatch.setattr(fluids, "COURANT", courant)
        ends.append(shallow_water(start, 2, 1.0, 0.1)[0, 1])
    coarse, fine = (abs(end - ends[2]).max() for end in ends[:2])
    assert 12 < coarse / fine < 24
    assert fine < 1e-5


def test_the_grid_does_not_matter():
    """The same waves on a finer grid."""
    start = random_water(1, 64, seed=2, waves=1.0)
    fine = shallow_water(start, 3, 0.3, 0.1)
    coarse = shallow_water(start[..., ::2, ::2], 3, 0.3, 0.1)
    np.testing.assert_allclose(coarse, fine[..., ::2, ::2], atol=2e-4)


def test_what_physics_keeps():
    start = random_water(3, 32, seed=3, waves=1.0)
    start[:, 0] += 0.05
    film = shallow_water(start, 5, 0.1, viscosity=0.0, gravity=1.5)
    h, v = film[:, :, 0], film[:, :, 1:]
    np.testing.assert_allclose(h.mean((2, 3)), 0.05, atol=1e-14)
    energy = ((1 + h) * (v**2).sum(2) / 2 + 1.5 * h**2 / 2).mean((2, 3))
    np.testing.assert_allclose(energy, np.broadcast_to(energy[:, :1], energy.shape), rtol=1e-6)
    curl = np.fft.ifft2(1j * np.fft.fftfreq(32, 1 / 32)[:, None] * np.fft.fft2(v[:, :, 1])).real
    curl -= np.fft.ifft2(1j * np.fft.fftfreq(32, 1 / 32) * np.fft.fft2(v[:, :, 0])).real
    strength = (curl**2 / (1 + h)).mean((2, 3))  # of potential vorticity
    np.testing.assert_allclose(
        strength, np.broadcast_to(strength[:, :1], strength.shape), rtol=1e-3
    )


def test_moving_with_the_water_changes_nothing():
    start = random_water(1, 32, seed=4, waves=1.0)
    drift = (
        np.array([2.0, -1.0]) * math.tau / 32 / 0.1
    )  # two points along x and one against y in a frame
    moved = start.copy()
    moved[:, 1:] += drift[:, None, None]
    film, moving = (shallow_water(given, 3, 0.1, 0.1)[0] for given in (start, moved))
    for k in range(3):
        moving[k, 1:] -= drift[:, None, None]
        np.testing.assert_allclose(np.roll(moving[k], (-2 * k, k), (1, 2)), film[k], atol=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_turns_and_reflections_of_the_grid(seed):
    group, field = dihedral(4), Field.parse("0e+1", O2())
    g = group.sample(1, generator=torch.Generator().manual_seed(seed))[0]
    n, start = 16, random_water(1, 16, seed=5, waves=0.7)
    ij = np.stack(np.meshgrid(np.arange(n), np.arange(n), indexing="ij"))
    i, j = (
        np.einsum("ab,bxy->axy", g.numpy().T.round().astype(int), ij) % n
    )  # (g f)(x) = rho f(g^-1 x)
    rho = field.matrix(g).numpy()

    def turn(state):
        return np.einsum("oc,...cxy->...oxy", rho, state[..., i, j])

    np.testing.assert_allclose(
        shallow_water(turn(start), 3, 0.2, 0.2), turn(shallow_water(start, 3, 0.2, 0.2)), atol=1e-14
    )


def test_random_water():
    start = random_water(40, 32, seed=6, height=0.2, speed=0.5)
    np.testing.assert_allclose((start[:, 0] ** 2).mean((1, 2)), 0.04)
    np.testing.assert_allclose((start[:, 1:] ** 2).sum(1).mean((1, 2)), 0.25)
    np.testing.assert_allclose(start.mean((2, 3)), 0, atol=1e-15)
    power = (abs(np.fft.fft2(start[:, 0])) ** 2).mean(0)
    assert power[1, 0] == pytest.approx(power[0, 1], rel=0.5)
    assert power[1, 1] / power[3, 3] == pytest.approx(math.exp((18 - 2) / 1.5**2), rel=0.8)
    assert (start == random_water(40, 32, seed=6, height=0.2, speed=0.5)).all()
    assert abs(start - random_water(40, 32, seed=7, height=0.2, speed=0.5)).max() > 0.1


def test_a_batch_is_its_films_one_by_one():
    start = random_water(3, 16, seed=8, waves=0.7)
    film = shallow_water(start, 3, 0.1, 0.1)
    for k in range(3):
        assert (shallow_water(start[k : k + 1], 3, 0.1, 0.1)[0] == film[k]).all()
    assert (film[:, 0] == start).all()
    assert shallow_water(start[:0], 3, 0.1, 0.1).shape == (0, 3, 3, 16, 16)
    assert random_water(0, 16, seed=0).shape == (0, 3, 16, 16)


def test_still_water_stays_still():
    assert (shallow_water(np.zeros((1, 3, 8, 8)), 3, 1.0, 0.0, gravity=0.0) == 0).all()


def test_water_that_cannot_be_followed():
    with pytest.raises(ValueError, match="frame 0 falls dry: begin with lower waves"):
        shallow_water(random_water(1, 16, seed=0, height=1.0), 2, 0.1, 0.1)
    with pytest.raises(
        ValueError, match=r"frame \d+ makes waves too short for the grid: .* more than 32 points"
    ):
        shallow_water(random_water(1, 32, seed=0, speed=2.0), 20, 0.1, 0.0)
    with pytest.raises(ValueError, match="frame 0 makes waves too short"):
        shallow_water(0.1 * np.random.default_rng(0).standard_normal((1, 3, 16, 16)), 2, 0.1, 0.1)


@pytest.mark.parametrize(
    "shape", [(3, 8, 8), (1, 2, 8, 8), (1, 3, 8, 9), (1, 3, 3, 3), (1, 3, 2, 8)]
)
def test_bad_shapes(shape):
    with pytest.raises(
        ValueError, match=r"h, v_x, v_y \(sample, 3, n, n\) on n = 4 points or more; got \("
    ):
        shallow_water(np.zeros(shape), 2, 0.1, 0.1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"frames": 0},
        {"interval": 0.0},
        {"viscosity": -0.1},
        {"viscosity": math.nan},
        {"gravity": -1.0},
        {"depth": 0.0},
        {"length": math.inf},
    ],
)
def test_bad_numbers(wrong):
    given = {"frames": 2, "interval": 0.1, "viscosity": 0.1} | wrong
    (name, value) = next(iter(wrong.items()))
    with pytest.raises(ValueError, match=f"1 frame or more, an interval.*{name}={value}"):
        shallow_water(np.zeros((1, 3, 8, 8)), **given)


def test_no_numbers_and_bad_draws():
    start = np.zeros((1, 3, 8, 8))
    start[0, 1, 2, 3] = math.nan
    with pytest.raises(ValueError, match="finite heights and velocities"):
        shallow_water(start, 2, 0.1, 0.1)
    for wrong in ({"samples": -1}, {"points": 3}, {"waves": 0.0}, {"waves": math.nan}):
        with pytest.raises(ValueError, match="Random water needs 0 samples or more"):
            random_water(**({"samples": 1, "points": 8, "seed": 0} | wrong))
