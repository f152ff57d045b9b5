"""Particles joined by springs, on sticks that slide on a plane.

Symmetric about an axis, and exactly solvable.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import expm

from .conserved import kinetic_energy
from .trajectories import Force, State, kept, kick_drift, pair_forces, system_count, trajectories

__all__ = ["Springs", "energy", "exact", "simulate"]

FRAMES = 49
SPREAD = 0.5  # standard deviation of a coordinate at the start
SPEED = 0.5
COUPLING = 0.1  # stiffness of a spring between particles
MAX_FORCE = 100.0  # of a component


class Springs(NamedTuple):
    """Trajectories of particles of mass 1 on sticks.

    Args:
        position: (system, frame, particle, 3) float64; frame k is at time 0.1 (k + 1).
        velocity: of the same shape; half a step of 0.001 behind the positions.
        spring: which pairs are joined (system, particle, particle), 0 or 1, symmetric.
        length: of each particle's stick (system, particle), 0 to 1.
        stiffness: of all sticks.
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

    Springs e_ij and sticks of stiffness k.

    A stick slides on the plane z = 0. With k = 0 the motion commutes with all of E(3), with k > 0
    only with rotations about z, mirrors that hold z, and translations in the plane. Everything is
    drawn as the authors' program draws it, and moved by its rules: 49 frames, 0.1 apart, each 100
    steps of symplectic Euler; components of forces are cut at 100, which a stiffness up to 50
    hardly meets (beyond 100 the cut rules the motion). From frame 30 positions of frame 40 are
    asked for; `exact` knows them.

    What was simulated is kept in the cache folder; a file there whose hash is wrong is made anew,
    with a warning.

    Args:
        num_train: systems to train on; they come first.
        num_valid: systems to validate on; they come next.
        num_test: systems to test on; they come last.
        seed: of all draws, from 0 to 2**32 - 1.
        stiffness: k of the sticks, at least 0.
        particles: in each system.

    Raises:
        ValueError: a negative number of systems or stiffness, no particles, or a seed out of range.

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

    table = kept("springs", (float(stiffness), particles, systems, seed), build)
    return Springs(**table, stiffness=float(stiffness))


def exact(
    position: np.ndarray,
    velocity: np.ndarray,
    spring: np.ndarray,
    length: np.ndarray,
    stiffness: float,
    time: float,
) -> State:
    """Positions and velocities after `time` by the matrix exponential, no force being cut.

    A coordinate c of all particles obeys x'' = -A x + b with A = 0.1 (D - e) + k_c I, b = k_c l,
    where D counts the springs of each particle and k_c is k for z and 0 else. So (x, v, 1) goes
    with exp(t M), M = [[0, I, 0], [-A, 0, b], [0, 0, 0]].

    Args:
        position: (system, particle, 3).
        velocity: of the same shape.
        spring: (system, particle, particle).
        length: (system, particle).
        stiffness: of the sticks.
        time: from the given state on.

    Returns:
        Positions and velocities of the shapes given. Where no force is cut, what is left between
        this and `simulate` is the half step that its velocities are behind.
    """
    systems, particles = length.shape
    hold = np.array([0.0, 0.0, stiffness])
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
        velocity: of the same shape.
        spring: (system, particle, particle).
        length: (system, particle).
        stiffness: of the sticks.

    Returns:
        (system, frame).
    """
    first, second = np.triu_indices(position.shape[-2], 1)
    square = ((position[..., first, :] - position[..., second, :]) ** 2).sum(-1)
    joined = COUPLING * (spring[..., None, first, second] * square).sum(-1)
    held: np.ndarray = stiffness * ((position[..., 2] - length[..., None, :]) ** 2).sum(-1)
    return kinetic_energy(velocity) + (joined + held) / 2


def _draw(
    systems: int, particles: int, random: np.random.RandomState
) -> tuple[State, np.ndarray, np.ndarray]:
    """Positions and velocities (system, particle, 3), springs and lengths at the start."""
    length = np.empty((systems, particles))
    spring = np.empty((systems, particles, particles))
    drawn = np.empty((2, systems, 3, particles))
    for k in range(systems):
        length[k] = random.random_sample(particles)
        spring[k] = random.random_sample((particles, particles)) >= 0.5
        # After the start the protocol draws noise for every frame, and multiplies it by 0.
        drawn[:, k] = random.randn(2 + 2 * FRAMES, 3, particles)[:2]
    spring = np.tril(spring, -1)
    position = drawn[0] * SPREAD
    velocity = drawn[1] * SPEED / np.sqrt((drawn[1] ** 2).sum(1, keepdims=True))
    return (
        (position.swapaxes(1, 2), velocity.swapaxes(1, 2)),
        spring + spring.swapaxes(1, 2),
        length,
    )


def _force(spring: np.ndarray, length: np.ndarray, stiffness: float) -> Force:
    """Forces of springs and of sticks of `length`.

    Those of springs are (particle, particle, system), those of sticks (particle, system).
    """

    def force(x: np.ndarray) -> np.ndarray:
        pull = pair_forces(x, lambda i, _: -COUPLING * spring[i, i + 1 :])
        pull[2] -= stiffness * (x[2] - length)
        return np.clip(pull, -MAX_FORCE, MAX_FORCE)

    return force
