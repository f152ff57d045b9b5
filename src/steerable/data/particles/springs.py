"""Particles connected by springs, on sticks that slide on a plane: an exactly solvable system."""

from typing import NamedTuple

import numpy as np

from .conserved import kinetic_energy
from .trajectories import (
    Force,
    State,
    cached_table,
    kick_drift,
    pair_forces,
    system_count,
    trajectories,
)

__all__ = ["Springs", "energy", "exact", "simulate"]

FRAMES = 49
SPREAD = 0.5  # standard deviation of the initial coordinates
SPEED = 0.5
COUPLING = 0.1  # stiffness of a spring between particles
MAX_FORCE = 100.0  # the largest absolute value of a component


class Springs(NamedTuple):
    """Trajectories of particles of mass 1 on sticks.

    Args:
        position: (system, frame, particle, 3) float64; frame k is at time 0.1 (k + 1).
        velocity: velocities, of the same shape, half a step of 0.001 behind the positions.
        spring: whether a spring connects a pair (system, particle, particle), 0 or 1, symmetric.
        length: the length of the stick of each particle (system, particle), 0 to 1.
        stiffness: the stiffness of all sticks.
    """

    position: np.ndarray
    velocity: np.ndarray
    spring: np.ndarray
    length: np.ndarray
    stiffness: float


def simulate(
    num_train: int, num_valid: int, num_test: int, seed: int, stiffness: float, particles: int = 5
) -> Springs:
    """Simulate F_i = -0.1 sum over j of e_ij (x_i - x_j) - k (z_i - l_i) z^.

    e_ij says whether a spring connects two particles, and k is the stiffness of the sticks, which
    slide on the plane z = 0. For k = 0 the motion commutes with all of E(3), for k > 0 only with
    rotations about z, mirrors that contain z, and translations in the plane.

    The random numbers are drawn in the same order as in the program of the authors, and the systems
    are simulated by its rules: 49 frames, 0.1 apart, of 100 steps of symplectic Euler each, with
    components of forces clipped at 100. Up to a stiffness of 50 clipping is rare; above 100 it
    dominates the motion. The positions of frame 40 are predicted from frame 30; `exact` computes
    them.

    The result is cached in the cache folder. A file there whose hash is wrong is replaced, with a
    warning.

    Args:
        num_train: the number of systems to train on; they come first.
        num_valid: the number of systems to validate on; they come next.
        num_test: the number of systems to test on; they come last.
        seed: the seed of all random numbers, from 0 to 2**32 - 1.
        stiffness: k, at least 0.
        particles: the number of particles in each system.

    Raises:
        ValueError: a number of systems or the stiffness is negative, there are no particles, or the
            seed is out of range.

    Source: Zhdanov, Hoffmann and Cesa, "Implicit convolutional kernels for steerable CNNs", NeurIPS
    2023, section 5.1.
    """
    systems = system_count(num_train, num_valid, num_test, particles)
    if not 0 <= stiffness < np.inf:
        raise ValueError(f"the stiffness of a stick is a number from 0; got {stiffness}.")

    def build() -> dict[str, np.ndarray]:
        start, spring, length = _draw(systems, particles, np.random.RandomState(seed))

        def force(block: slice) -> Force:
            return _force(spring[block].T, length[block].T, stiffness)

        position, velocity = trajectories(start, FRAMES, kick_drift, force)
        return {"position": position, "velocity": velocity, "spring": spring, "length": length}

    table = cached_table("springs", (float(stiffness), particles, systems, seed), build)
    return Springs(**table, stiffness=float(stiffness))


def exact(
    position: np.ndarray,
    velocity: np.ndarray,
    spring: np.ndarray,
    length: np.ndarray,
    stiffness: float,
    time: float,
) -> State:
    """Positions and velocities after `time`, from the matrix exponential, without clipped forces.

    Coordinate c of all particles obeys x'' = -A x + b with A = 0.1 (D - e) + k_c I and b = k_c l,
    where D counts the springs of each particle and k_c is k for z and 0 otherwise. Therefore
    (x, v, 1) is multiplied by exp(t M) with M = [[0, I, 0], [-A, 0, b], [0, 0, 0]].

    Args:
        position: (system, particle, 3).
        velocity: velocities, of the same shape.
        spring: (system, particle, particle).
        length: (system, particle).
        stiffness: the stiffness of the sticks.
        time: the time to advance.

    Returns:
        Positions and velocities (system, particle, 3). If no force is clipped they differ from
        those of `simulate` only because its velocities are half a step behind.
    """
    systems, particles = length.shape
    hold = np.array([0.0, 0.0, stiffness])  # k_c
    laplacian = COUPLING * (spring.sum(1)[:, None] * np.eye(particles) - spring)
    M = np.zeros((systems, 3, 2 * particles + 1, 2 * particles + 1))
    M[:, :, :particles, particles:-1] = np.eye(particles)
    M[:, :, particles:-1, :particles] = -(
        laplacian[:, None] + hold[:, None, None] * np.eye(particles)
    )
    M[:, :, particles:-1, -1] = hold[:, None] * length[:, None]
    before = np.concatenate(
        [position.swapaxes(1, 2), velocity.swapaxes(1, 2), np.ones((systems, 3, 1))], axis=2
    )
    from scipy.linalg import expm  # takes a moment to import

    after = (expm(time * M) @ before[..., None])[..., 0].swapaxes(1, 2)
    return after[:, :particles], after[:, particles:-1]


def energy(
    position: np.ndarray,
    velocity: np.ndarray,
    spring: np.ndarray,
    length: np.ndarray,
    stiffness: float,
) -> np.ndarray:
    """E = sum of v² / 2 + 0.1 sum over pairs of e_ij |x_i - x_j|² / 2 + k sum of (z_i - l_i)² / 2.

    Args:
        position: (system, frame, particle, 3).
        velocity: velocities, of the same shape.
        spring: (system, particle, particle).
        length: (system, particle).
        stiffness: the stiffness of the sticks.

    Returns:
        (system, frame).
    """
    first, second = np.triu_indices(position.shape[-2], 1)
    square = ((position[..., first, :] - position[..., second, :]) ** 2).sum(-1)
    of_springs = COUPLING * (spring[..., None, first, second] * square).sum(-1)
    of_sticks: np.ndarray = stiffness * ((position[..., 2] - length[..., None, :]) ** 2).sum(-1)
    return kinetic_energy(velocity) + (of_springs + of_sticks) / 2


def _draw(
    systems: int, particles: int, random: np.random.RandomState
) -> tuple[State, np.ndarray, np.ndarray]:
    """Initial positions and velocities (system, particle, 3), springs and lengths."""
    length = np.empty((systems, particles))
    spring = np.empty((systems, particles, particles))
    noise = np.empty((2, systems, 3, particles))
    for k in range(systems):
        length[k] = random.random_sample(particles)
        spring[k] = random.random_sample((particles, particles)) >= 0.5
        # The protocol also draws noise for every later frame, and multiplies it by 0.
        noise[:, k] = random.randn(2 + 2 * FRAMES, 3, particles)[:2]
    spring = np.tril(spring, -1)
    spring = spring + spring.swapaxes(1, 2)
    position = noise[0] * SPREAD
    velocity = noise[1] * SPEED / np.sqrt((noise[1] ** 2).sum(1, keepdims=True))
    return (position.swapaxes(1, 2), velocity.swapaxes(1, 2)), spring, length


def _force(spring: np.ndarray, length: np.ndarray, stiffness: float) -> Force:
    """The forces of springs (particle, particle, system) and of sticks (particle, system)."""

    def force(x: np.ndarray) -> np.ndarray:
        pull = pair_forces(x, lambda i, _: -COUPLING * spring[i, i + 1 :])
        pull[2] -= stiffness * (x[2] - length)
        return np.clip(pull, -MAX_FORCE, MAX_FORCE)

    return force
