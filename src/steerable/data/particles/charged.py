"""Charged particles that attract and repel each other: the benchmark of EGNN."""

from typing import NamedTuple

import numpy as np

from .conserved import kinetic_energy, pair_distances
from .trajectories import Force, State, kept, kick_drift, pair_forces, system_count, trajectories

__all__ = ["Charged", "energy", "simulate"]

FRAMES = 49
SPEED = 0.5
HALF_BOX = 5.0
MAX_FORCE = 100.0  # of a component


class Charged(NamedTuple):
    """Trajectories of charged particles of mass 1.

    Args:
        position: (system, frame, particle, 3) float64; frame k is at time 0.1 (k + 1).
        velocity: of the same shape.
        charge: (system, particle), 1 or -1.
    """

    position: np.ndarray
    velocity: np.ndarray
    charge: np.ndarray


def simulate(
    num_train: int, num_valid: int, num_test: int, seed: int, particles: int = 5
) -> Charged:
    """Simulate systems of the EGNN protocol.

    F_i = sum over j of q_i q_j (x_i - x_j) / |x_i - x_j|³.

    Charges, positions and velocities are drawn number by number as the authors' program draws them,
    and moved by its rules: 49 frames, 0.1 apart, each 100 steps of symplectic Euler; components of
    forces are cut at 100. The benchmark is `simulate(10_000, 2_000, 2_000, seed=43)` (its "small"
    set): from frame 30 positions of frame 40 are asked for.

    Systems of 5 particles come out bit for bit as from the authors' program on the same processor.
    Orbits are chaotic after a near collision, so another processor, which rounds otherwise, moves
    some of them elsewhere.

    What was simulated is kept in the cache folder; a file there whose hash is wrong is made anew,
    with a warning.

    Args:
        num_train: systems to train on; they come first.
        num_valid: systems to validate on; they come next.
        num_test: systems to test on; they come last.
        seed: of all draws, from 0 to 2**32 - 1.
        particles: in each system; the benchmark has 5, variants 20 and 100.

    Raises:
        ValueError: a negative number of systems, no particles, or a seed out of range.

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

    return Charged(**kept("charged", (particles, systems, seed), build))


def energy(position: np.ndarray, velocity: np.ndarray, charge: np.ndarray) -> np.ndarray:
    """E = sum over particles of v² / 2 + sum over pairs of q_i q_j / |x_i - x_j|.

    It is constant where no force is cut.

    Args:
        position: (system, frame, particle, 3).
        velocity: of the same shape.
        charge: (system, particle).

    Returns:
        (system, frame).

    Raises:
        ValueError: two particles are at one place.
    """
    first, second = np.triu_indices(position.shape[-2], 1)
    product = charge[..., first] * charge[..., second]
    return kinetic_energy(velocity) + (product[..., None, :] / pair_distances(position)).sum(-1)


def _draw(systems: int, particles: int, random: np.random.RandomState) -> tuple[State, np.ndarray]:
    """Positions, velocities (system, particle, 3) and charges (system, particle) at the start."""
    charge = np.empty((systems, particles))
    drawn = np.empty((2, systems, 3, particles))
    for k in range(systems):
        charge[k] = np.where(random.random_sample(particles) < 0.5, -1.0, 1.0)
        # After the start the protocol draws noise for every frame, and multiplies it by 0.
        drawn[:, k] = random.randn(2 + 2 * FRAMES, 3, particles)[:2]
    position = drawn[0] * (particles / 5) ** (1 / 3)
    velocity = drawn[1] * SPEED / np.sqrt((drawn[1] ** 2).sum(1, keepdims=True))
    # Who starts out of the box is mirrored at its wall and flies inwards; later there is no wall.
    out = np.abs(position) > HALF_BOX
    velocity[out] = -np.sign(position[out]) * np.abs(velocity[out])
    position[out] = np.sign(position[out]) * 2 * HALF_BOX - position[out]
    return (position.swapaxes(1, 2), velocity.swapaxes(1, 2)), charge


def _force(charge: np.ndarray) -> Force:
    """Forces on charges (particle, system)."""

    def force(x: np.ndarray) -> np.ndarray:
        # |x_i|² + |x_j|² - 2 x_i·x_j as the authors' program has it: where two particles meet, its
        # rounding grows to another orbit, so distances that are more exact lead elsewhere.
        points = np.ascontiguousarray(x.T)
        inner = (points @ points.swapaxes(1, 2)).T
        norm = x[0] * x[0] + x[1] * x[1] + x[2] * x[2]

        def law(i: int, _: np.ndarray) -> np.ndarray:
            square = norm[i] + norm[i + 1 :] - 2 * inner[i, i + 1 :]
            weight: np.ndarray = charge[i] * charge[i + 1 :] / np.power(square, 1.5)
            return weight

        return np.clip(pair_forces(x, law), -MAX_FORCE, MAX_FORCE)

    return force
