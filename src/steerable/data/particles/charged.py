"""Charged particles that attract and repel each other: the benchmark of EGNN."""

from typing import NamedTuple

import numpy as np

from .conserved import kinetic_energy, pair_distances
from .trajectories import (
    Force,
    State,
    cached_table,
    kick_drift,
    pair_forces,
    system_count,
    trajectories,
)

__all__ = ["Charged", "energy", "simulate"]

FRAMES = 49
SPEED = 0.5
HALF_BOX = 5.0
MAX_FORCE = 100.0  # the largest absolute value of a component


class Charged(NamedTuple):
    """Trajectories of charged particles of mass 1.

    Args:
        position: (system, frame, particle, 3) float64; frame k is at time 0.1 (k + 1).
        velocity: velocities, of the same shape.
        charge: (system, particle), 1 or -1.
    """

    position: np.ndarray
    velocity: np.ndarray
    charge: np.ndarray


def simulate(
    num_train: int, num_valid: int, num_test: int, seed: int, particles: int = 5
) -> Charged:
    """Simulate systems by the EGNN protocol.

    F_i = sum over j of q_i q_j (x_i - x_j) / |x_i - x_j|³.

    The random numbers are drawn in the same order as in the program of the authors, and the systems
    are simulated by its rules: 49 frames, 0.1 apart, of 100 steps of symplectic Euler each, with
    components of forces clipped at 100. The benchmark (its "small" data set) is
    `simulate(10_000, 2_000, 2_000, seed=43)`; the positions of frame 40 are predicted from frame
    30.

    On the same processor, systems of 5 particles are bit for bit those of the authors. Orbits are
    chaotic after a near collision, so the different rounding of another processor changes some of
    them.

    The result is cached in the cache folder. A file there whose hash is wrong is replaced, with a
    warning.

    Args:
        num_train: the number of systems to train on; they come first.
        num_valid: the number of systems to validate on; they come next.
        num_test: the number of systems to test on; they come last.
        seed: the seed of all random numbers, from 0 to 2**32 - 1.
        particles: the number of particles in each system; the benchmark has 5, variants 20 and 100.

    Raises:
        ValueError: a number of systems is negative, there are no particles, or the seed is out of
            range.

    Source: Satorras, Hoogeboom and Welling, "E(n) equivariant graph neural networks", ICML 2021,
    section 5.1.
    """
    systems = system_count(num_train, num_valid, num_test, particles)

    def build() -> dict[str, np.ndarray]:
        start, charge = _draw(systems, particles, np.random.RandomState(seed))
        position, velocity = trajectories(
            start, FRAMES, kick_drift, lambda block: _force(charge[block].T)
        )
        return {"position": position, "velocity": velocity, "charge": charge}

    return Charged(**cached_table("charged", (particles, systems, seed), build))


def energy(position: np.ndarray, velocity: np.ndarray, charge: np.ndarray) -> np.ndarray:
    """The energy E = sum over particles of v² / 2 + sum over pairs of q_i q_j / |x_i - x_j|.

    It is constant if no force is clipped.

    Args:
        position: (system, frame, particle, 3).
        velocity: velocities, of the same shape.
        charge: (system, particle).

    Returns:
        (system, frame).

    Raises:
        ValueError: two particles are at the same position.
    """
    first, second = np.triu_indices(position.shape[-2], 1)
    product = charge[..., first] * charge[..., second]
    return kinetic_energy(velocity) + (product[..., None, :] / pair_distances(position)).sum(-1)


def _draw(systems: int, particles: int, random: np.random.RandomState) -> tuple[State, np.ndarray]:
    """Initial positions, velocities (system, particle, 3) and charges (system, particle)."""
    charge = np.empty((systems, particles))
    noise = np.empty((2, systems, 3, particles))
    for k in range(systems):
        charge[k] = np.where(random.random_sample(particles) < 0.5, -1.0, 1.0)
        # The protocol also draws noise for every later frame, and multiplies it by 0.
        noise[:, k] = random.randn(2 + 2 * FRAMES, 3, particles)[:2]
    position = noise[0] * (particles / 5) ** (1 / 3)
    velocity = noise[1] * SPEED / np.sqrt((noise[1] ** 2).sum(1, keepdims=True))
    # Particles that start outside the box are reflected at its wall and move inwards. There is no
    # wall later on.
    out = np.abs(position) > HALF_BOX
    velocity[out] = -np.sign(position[out]) * np.abs(velocity[out])
    position[out] = np.sign(position[out]) * 2 * HALF_BOX - position[out]
    return (position.swapaxes(1, 2), velocity.swapaxes(1, 2)), charge


def _force(charge: np.ndarray) -> Force:
    """The forces on charges (particle, system), as a function of positions."""

    def force(x: np.ndarray) -> np.ndarray:
        # |x_i|² + |x_j|² - 2 x_i·x_j as in the program of the authors. Its rounding errors grow
        # when two particles meet, so more accurate distances would lead to other orbits.
        points = np.ascontiguousarray(x.T)
        inner = (points @ points.swapaxes(1, 2)).T
        norm = x[0] * x[0] + x[1] * x[1] + x[2] * x[2]

        def law(i: int, _: np.ndarray) -> np.ndarray:
            square = norm[i] + norm[i + 1 :] - 2 * inner[i, i + 1 :]
            weight: np.ndarray = charge[i] * charge[i + 1 :] / np.power(square, 1.5)
            return weight

        return np.clip(pair_forces(x, law), -MAX_FORCE, MAX_FORCE)

    return force
