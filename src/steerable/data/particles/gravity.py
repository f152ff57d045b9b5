"""Bodies that attract each other by softened gravity: the benchmark of SEGNN."""

from typing import NamedTuple

import numpy as np

from .conserved import kinetic_energy
from .trajectories import State, kept, leapfrog, pair_forces, system_count, trajectories

__all__ = ["Gravity", "energy", "simulate"]

FRAMES = 50
SOFTENING = 0.1  # length


class Gravity(NamedTuple):
    """Trajectories of bodies in a frame whose momentum is 0.

    Args:
        position: (system, frame, particle, 3) float64; frame k is at time 0.1 k.
        velocity: of the same shape.
        mass: (system, particle), all 1; the constant of gravity is 1 too.
    """

    position: np.ndarray
    velocity: np.ndarray
    mass: np.ndarray


def simulate(
    num_train: int, num_valid: int, num_test: int, seed: int, particles: int = 100
) -> Gravity:
    """Simulate systems of the SEGNN protocol.

    F_i = -sum over j of (x_i - x_j) / (|x_i - x_j|² + 0.1²)^(3/2).

    Positions and velocities are drawn number by number as the authors' program draws them, and
    moved by its rules: 50 frames, 0.1 apart, each 100 leapfrog steps. From frame 30 positions of
    frame 40 are asked for. The work grows with the square of the particles: 1,000 systems of 100
    take minutes, the 14,000 of the authors more than an hour.

    What was simulated is kept in the cache folder; a file there whose hash is wrong is made anew,
    with a warning.

    Args:
        num_train: systems to train on; they come first.
        num_valid: systems to validate on; they come next.
        num_test: systems to test on; they come last.
        seed: of all draws, from 0 to 2**32 - 1; the authors use 43.
        particles: in each system.

    Raises:
        ValueError: a negative number of systems, no particles, or a seed out of range.

    Source: Brandstetter, Hesselink, van der Pol, Bekkers and Welling, "Geometric and physical
    quantities improve E(3) equivariant message passing", ICLR 2022.
    """
    systems = system_count(num_train, num_valid, num_test, particles)

    def build() -> dict[str, np.ndarray]:
        start = _draw(systems, particles, np.random.RandomState(seed))
        position, velocity = trajectories(start, FRAMES, leapfrog, lambda block: _force)
        return {"position": position, "velocity": velocity, "mass": np.ones((systems, particles))}

    return Gravity(**kept("gravity", (particles, systems, seed), build))


def energy(position: np.ndarray, velocity: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """E = sum over bodies of m v² / 2 - sum over pairs of m_i m_j / (|x_i - x_j|² + 0.1²)^(1/2).

    Args:
        position: (system, frame, particle, 3).
        velocity: of the same shape.
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
    """Positions and velocities (system, particle, 3) at the start."""
    drawn = np.empty((2, systems, particles, 3))
    for k in range(systems):
        # After the start the protocol draws noise for every frame, and multiplies it by 0.
        drawn[:, k] = random.randn(2 + 3 * FRAMES, particles, 3)[:2]
    return drawn[0], drawn[1] - drawn[1].mean(1, keepdims=True)


def _force(x: np.ndarray) -> np.ndarray:
    """Forces on bodies of mass 1 at `x` (3, particle, system)."""

    def law(i: int, r: np.ndarray) -> np.ndarray:
        square = r[0] * r[0] + r[1] * r[1] + r[2] * r[2] + SOFTENING**2
        weight: np.ndarray = -1 / (square * np.sqrt(square))
        return weight

    return pair_forces(x, law)
