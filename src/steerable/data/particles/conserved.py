"""What physics keeps constant along a trajectory."""

import numpy as np

__all__ = ["angular_momentum", "kinetic_energy", "momentum", "pair_distances"]


def momentum(velocity: np.ndarray, mass: np.ndarray | None = None) -> np.ndarray:
    """P = sum over particles of m v.

    Args:
        velocity: (system, frame, particle, 3).
        mass: (system, particle), or (particle,) for all systems alike; left out, 1.

    Returns:
        (system, frame, 3).
    """
    return (_weights(velocity, mass) * velocity).sum(-2)


def angular_momentum(
    position: np.ndarray, velocity: np.ndarray, mass: np.ndarray | None = None
) -> np.ndarray:
    """L = sum over particles of m x × v about the origin: (system, frame, 3).

    Arguments as those of `momentum`.
    """
    return momentum(np.cross(position, velocity), mass)


def kinetic_energy(velocity: np.ndarray, mass: np.ndarray | None = None) -> np.ndarray:
    """T = sum over particles of m v² / 2: (system, frame); arguments as those of `momentum`."""
    return momentum(velocity * velocity, mass).sum(-1) / 2


def pair_distances(position: np.ndarray) -> np.ndarray:
    """The distances of all pairs i < j, those of i = 0 first.

    Args:
        position: (..., particle, 3).

    Returns:
        (..., pair).

    Raises:
        ValueError: two particles are at one place, where forces and energies have no value.
    """
    first, second = np.triu_indices(position.shape[-2], 1)
    distance: np.ndarray = np.linalg.norm(
        position[..., first, :] - position[..., second, :], axis=-1
    )
    if not distance.all():
        *at, pair = np.argwhere(distance == 0)[0].tolist()
        raise ValueError(
            f"particles {first[pair]} and {second[pair]} of (system, frame) = {tuple(at)} are at "
            "one place, where a pair has no energy: move or remove one of them."
        )
    return distance


def _weights(velocity: np.ndarray, mass: np.ndarray | None) -> np.ndarray:
    """Masses that multiply (system, frame, particle, 3)."""
    return (np.ones(velocity.shape[-2]) if mass is None else np.asarray(mass))[..., None, :, None]
