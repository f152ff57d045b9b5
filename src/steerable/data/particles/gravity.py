"""Bodies that attract each other by softened gravity: the benchmark of SEGNN."""

from typing import NamedTuple

import numpy as np

from .conserved import kinetic_energy
from .trajectories import State, cached_table, leapfrog, pair_forces, system_count, trajectories

__all__ = ["Gravity", "energy", "simulate"]

FRAMES = 50
SOFTENING = 0.1  # length


class Gravity(NamedTuple):
    """Trajectories of bodies with a total momentum of 0.

    Args:
        position: (system, frame, particle, 3) float64; frame k is at time 0.1 k.
        velocity: velocities, of the same shape.
        mass: (system, particle), all 1; the gravitational constant is 1, too.
    """

    position: np.ndarray
    velocity: np.ndarray
    mass: np.ndarray


def simulate(
    num_train: int, num_valid: int, num_test: int, seed: int, particles: int = 100
) -> Gravity:
    """Simulate systems by the SEGNN protocol.

    F_i = -sum over j of (x_i - x_j) / (|x_i - x_j|² + 0.1²)^(3/2).

    The random numbers are drawn in the same order as in the program of the authors, and the systems
    are simulated by its rules: 50 frames, 0.1 apart, of 100 leapfrog steps each. The positions of
    frame 40 are predicted from frame 30. The work grows with the square of the number of particles:
    1,000 systems of 100 take minutes, the 14,000 of the authors more than an hour.

    The result is cached in the cache folder. A file there whose hash is wrong is replaced, with a
    warning.

    Args:
        num_train: the number of systems to train on; they come first.
        num_valid: the number of systems to validate on; they come next.
        num_test: the number of systems to test on; they come last.
        seed: the seed of all random numbers, from 0 to 2**32 - 1; the authors use 43.
        particles: the number of particles in each system.

    Raises:
        ValueError: a number of systems is negative, there are no particles, or the seed is out of
            range.

    Source: Brandstetter, Hesselink, van der Pol, Bekkers and Welling, "Geometric and physical
    quantities improve E(3) equivariant message passing", ICLR 2022.
    """
    systems = system_count(num_train, num_valid, num_test, particles)

    def build() -> dict[str, np.ndarray]:
        start = _draw(systems, particles, np.random.RandomState(seed))
        position, velocity = trajectories(start, FRAMES, leapfrog, lambda block: _force)
        return {"position": position, "velocity": velocity, "mass": np.ones((systems, particles))}

    return Gravity(**cached_table("gravity", (particles, systems, seed), build))


def energy(position: np.ndarray, velocity: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """E = sum over bodies of m v² / 2 - sum over pairs of m_i m_j / (|x_i - x_j|² + 0.1²)^(1/2).

    Args:
        position: (system, frame, particle, 3).
        velocity: velocities, of the same shape.
        mass: (system, particle).

    Returns:
        (system, frame).
    """
    first, second = np.triu_indices(position.shape[-2], 1)
    square = ((position[..., first, :] - position[..., second, :]) ** 2).sum(-1)
    product = (mass[..., first] * mass[..., second])[..., None, :]
    potential: np.ndarray = (product / np.sqrt(square + SOFTENING**2)).sum(-1)
    return kinetic_energy(velocity, mass) - potential


def _draw(systems: int, particles: int, random: np.random.RandomState) -> State:
    """Initial positions and velocities (system, particle, 3)."""
    noise = np.empty((2, systems, particles, 3))
    for k in range(systems):
        # The protocol also draws noise for every later frame, and multiplies it by 0.
        noise[:, k] = random.randn(2 + 3 * FRAMES, particles, 3)[:2]
    return noise[0], noise[1] - noise[1].mean(1, keepdims=True)


def _force(x: np.ndarray) -> np.ndarray:
    """The forces on bodies of mass 1 at positions `x` (3, particle, system)."""

    def law(i: int, r: np.ndarray) -> np.ndarray:
        square = r[0] * r[0] + r[1] * r[1] + r[2] * r[2] + SOFTENING**2
        weight: np.ndarray = -1 / (square * np.sqrt(square))
        return weight

    return pair_forces(x, law)
