"""Conserved quantities of trajectories: momentum, angular momentum and kinetic energy."""

import numpy as np

__all__ = ["angular_momentum", "kinetic_energy", "momentum", "pair_distances"]


def momentum(velocity: np.ndarray, mass: np.ndarray | None = None) -> np.ndarray:
    """The momentum P = sum over particles of m v.

    Args:
        velocity: (system, frame, particle, 3).
        mass: (system, particle), or (particle,) for all systems; 1 by default.

    Returns:
        (system, frame, 3).
    """
    return (_weights(velocity, mass) * velocity).sum(-2)


def angular_momentum(
    position: np.ndarray, velocity: np.ndarray, mass: np.ndarray | None = None
) -> np.ndarray:
    """The angular momentum L = sum over particles of m x × v about the origin.

    Args:
        position: (system, frame, particle, 3).
        velocity: velocities, of the same shape.
        mass: as in `momentum`.

    Returns:
        (system, frame, 3).
    """
    return momentum(np.cross(position, velocity), mass)


def kinetic_energy(velocity: np.ndarray, mass: np.ndarray | None = None) -> np.ndarray:
    """The kinetic energy T (system, frame), the sum over particles of m v² / 2.

    The arguments are those of `momentum`.
    """
    return momentum(velocity * velocity, mass).sum(-1) / 2


def pair_distances(position: np.ndarray) -> np.ndarray:
    """The distances of all pairs i < j, sorted by i.

    Args:
        position: (..., particle, 3).

    Returns:
        (..., pair).

    Raises:
        ValueError: two particles are at the same position, where forces and energies are infinite.
    """
    first, second = np.triu_indices(position.shape[-2], 1)
    distance: np.ndarray = np.linalg.norm(
        position[..., first, :] - position[..., second, :], axis=-1
    )
    if not distance.all():
        *at, pair = np.argwhere(distance == 0)[0].tolist()
        raise ValueError(
            f"particles {first[pair]} and {second[pair]} of (system, frame) = {tuple(at)} are at "
            "one place, where the energy of a pair is infinite: move or remove one of them."
        )
    return distance


def _weights(velocity: np.ndarray, mass: np.ndarray | None) -> np.ndarray:
    """Masses in a shape that broadcasts with (system, frame, particle, 3)."""
    return (np.ones(velocity.shape[-2]) if mass is None else np.asarray(mass))[..., None, :, None]
