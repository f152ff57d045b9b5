"""Simulation of many systems of particles at once, and its cache."""

import hashlib
import warnings
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from steerable.ops import cache_folder

from ..cache import Table, cached

__all__ = [
    "DT",
    "EVERY",
    "cached_table",
    "digest",
    "kick_drift",
    "leapfrog",
    "pair_forces",
    "system_count",
    "trajectories",
]

DT = 0.001  # the time step
EVERY = 100  # steps from one frame to the next
# Particles that are simulated together: intermediate results stay in the cache of the processor.
BLOCK = 10_000
FORMAT = 1  # of the cached file and of the simulation; changing it makes files be computed again

State = tuple[np.ndarray, np.ndarray]  # positions and velocities
Force = Callable[[np.ndarray], np.ndarray]
Law = Callable[[int, np.ndarray], np.ndarray]
Integrator = Callable[[Force, np.ndarray, np.ndarray], Iterator[State]]


def pair_forces(x: np.ndarray, law: Law) -> np.ndarray:
    """The forces F_i = sum over j of w_ij (x_i - x_j) with symmetric weights w_ij = w_ji.

    Every pair is evaluated once, and momentum is conserved.

    Args:
        x: positions (3, particle, system); systems are the last axis, where arithmetic is fastest.
        law: a function that returns w_ij (j, system), given i and the differences (3, j, system)
            to the particles j = i+1, i+2, ...

    Returns:
        Forces (3, particle, system).
    """
    force = np.zeros_like(x)
    for i in range(x.shape[1] - 1):
        pull = x[:, i, None] - x[:, i:]
        pull[:, 1:] *= law(i, pull[:, 1:])
        force[:, i + 1 :] -= pull[:, 1:]
        pull[:, 0] = force[:, i]
        force[:, i] = pull.sum(1)
    return force


def kick_drift(force: Force, x: np.ndarray, v: np.ndarray) -> Iterator[State]:
    """Symplectic Euler: a step is v += dt F(x), x += dt v.

    It equals leapfrog with velocities that are half a step behind. A frame is returned after every
    `EVERY` steps; the start is not a frame.
    """
    while True:
        for _ in range(EVERY):
            v += DT * force(x)
            x += DT * v
        yield x, v


def leapfrog(force: Force, x: np.ndarray, v: np.ndarray) -> Iterator[State]:
    """Leapfrog: a step is v += dt/2 F(x), x += dt v, v += dt/2 F(x).

    The first frame is the start; the next ones follow after every `EVERY` steps.
    """
    pull = force(x)
    while True:
        yield x, v
        for _ in range(EVERY):
            v += DT / 2 * pull
            x += DT * v
            pull = force(x)
            v += DT / 2 * pull


def trajectories(
    start: State, frames: int, integrator: Integrator, force: Callable[[slice], Force]
) -> State:
    """Simulate systems from an initial state, in blocks.

    Args:
        start: positions and velocities (system, particle, 3) of particles of mass 1.
        frames: the number of frames to return.
        integrator: `kick_drift` or `leapfrog`.
        force: a function that returns the forces for a block of systems, as a function from
            positions to forces, both (3, particle, system).

    Returns:
        Positions and velocities (system, frame, particle, 3), float64.
    """
    systems, particles, _ = start[0].shape
    position, velocity = np.empty((2, systems, frames, particles, 3))
    for first in range(0, systems, BLOCK // particles):
        block = slice(first, first + BLOCK // particles)
        # Contiguous copies (3, particle, system), which the integrator changes in place.
        x = np.array(start[0][block].T, dtype=np.float64, order="C")
        v = np.array(start[1][block].T, dtype=np.float64, order="C")
        states = integrator(force(block), x, v)
        for k, (x, v) in zip(range(frames), states, strict=False):
            position[block, k], velocity[block, k] = x.T, v.T
    return position, velocity


def system_count(num_train: int, num_valid: int, num_test: int, particles: int) -> int:
    """The total number of systems in the three parts.

    Raises:
        ValueError: a number is negative, or the number of particles is not between 1 and `BLOCK`.
    """
    if min(num_train, num_valid, num_test) < 0:
        raise ValueError(
            f"numbers of systems are at least 0; got num_train={num_train}, num_valid={num_valid}, "
            f"num_test={num_test}."
        )
    if not 1 <= particles <= BLOCK:
        raise ValueError(f"a system has 1 to {BLOCK:,} particles; got {particles}.")
    return num_train + num_valid + num_test


def cached_table(source: str, setting: Iterable[object], build: Callable[[], Table]) -> Table:
    """The arrays returned by `build`, cached in the cache folder with their hash.

    A file whose arrays do not match the hash is replaced, with a warning.

    Args:
        source: the first part of the name of the file.
        setting: everything that `build` depends on; the rest of the name.
        build: returns the arrays by name.
    """
    name = "-".join(map(str, (source, *setting, f"v{FORMAT}")))
    table = cached(name, lambda: _sealed(build()))
    if _intact(table):
        return table
    path = cache_folder() / f"{name}.npz"
    warnings.warn(
        f"The hash of {path} is not that of its arrays: it is removed and made anew.", stacklevel=3
    )
    path.unlink()
    table = cached(name, lambda: _sealed(build()))
    del table["sha256"]
    return table


def digest(table: Table) -> str:
    """The SHA-256 hash of the names, dtypes, shapes and values of arrays, as hexadecimal digits."""
    stamp = hashlib.sha256()
    for name, array in table.items():
        stamp.update(f"{name}{array.dtype.str}{array.shape}".encode())
        stamp.update(np.ascontiguousarray(array).data)
    return stamp.hexdigest()


def _sealed(table: Table) -> Table:
    return table | {"sha256": np.array(digest(table))}


def _intact(table: Table) -> bool:
    """Whether the arrays of a table match its hash, which is removed from the table."""
    seal = table.pop("sha256", None)
    return seal is not None and seal == digest(table)
