"""Motion of many systems of particles at once, and the file that keeps it."""

import hashlib
import warnings
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from steerable.ops import cache_folder

from ..cache import Table, cached

__all__ = [
    "DT",
    "EVERY",
    "digest",
    "kept",
    "kick_drift",
    "leapfrog",
    "pair_forces",
    "system_count",
    "trajectories",
]

DT = 0.001  # time of a step
EVERY = 100  # steps from one frame to the next
# particles that move together: what is computed for them stays in the cache of the processor
BLOCK = 10_000
FORMAT = 1  # of the kept file, and of the way to its numbers; with another one it is made anew

State = tuple[np.ndarray, np.ndarray]  # positions and velocities
Force = Callable[[np.ndarray], np.ndarray]
Law = Callable[[int, np.ndarray], np.ndarray]
Integrator = Callable[[Force, np.ndarray, np.ndarray], Iterator[State]]


def pair_forces(x: np.ndarray, law: Law) -> np.ndarray:
    """F_i = sum over j of w_ij (x_i - x_j) with w_ij = w_ji.

    Every pair is visited once, and momentum is conserved.

    Args:
        x: positions (3, particle, system); systems come last, where arithmetic is fastest.
        law: from i and the differences (3, j, system) to the particles j = i+1, i+2, ... to w_ij
            (j, system).

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
    """A step is v += dt F(x), x += dt v.

    A frame is what `EVERY` steps lead to, so the start is none.

    Symplectic Euler: leapfrog whose velocities are half a step behind.
    """
    while True:
        for _ in range(EVERY):
            v += DT * force(x)
            x += DT * v
        yield x, v


def leapfrog(force: Force, x: np.ndarray, v: np.ndarray) -> Iterator[State]:
    """A step is v += dt/2 F(x), x += dt v, v += dt/2 F(x).

    The first frame is the start, then every `EVERY`-th step.
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
    """Move systems from `start`, a block of them at a time.

    Args:
        start: positions and velocities (system, particle, 3) of particles of mass 1.
        frames: how many to keep.
        integrator: `kick_drift` or `leapfrog`.
        force: from a block of systems to the forces on their particles, both (3, particle, system).

    Returns:
        Positions and velocities (system, frame, particle, 3), float64.
    """
    systems, particles, _ = start[0].shape
    position, velocity = np.empty((2, systems, frames, particles, 3))
    for first in range(0, systems, BLOCK // particles):
        block = slice(first, first + BLOCK // particles)
        x, v = (np.array(part[block].T, dtype=np.float64, order="C") for part in start)
        for k, state in zip(range(frames), integrator(force(block), x, v), strict=False):
            position[block, k], velocity[block, k] = (part.T for part in state)
    return position, velocity


def system_count(num_train: int, num_valid: int, num_test: int, particles: int) -> int:
    """How many systems there are in all three parts.

    Raises:
        ValueError: a number below 0, or particles that are not 1 to `BLOCK`.
    """
    if min(num_train, num_valid, num_test) < 0:
        raise ValueError(
            f"numbers of systems are at least 0; got num_train={num_train}, num_valid={num_valid}, "
            f"num_test={num_test}."
        )
    if not 1 <= particles <= BLOCK:
        raise ValueError(f"a system has 1 to {BLOCK:,} particles; got {particles}.")
    return num_train + num_valid + num_test


def kept(source: str, setting: Iterable[object], build: Callable[[], Table]) -> Table:
    """What `build` gives, kept in the cache folder with a hash of it.

    A file whose arrays are not those that were written is made anew, with a warning.

    Args:
        source: what the file's name begins with.
        setting: all that `build` depends on, which the name goes on with.
        build: gives the arrays by name.
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
    """SHA-256 of the names, types, shapes and numbers of arrays, in hexadecimal digits."""
    stamp = hashlib.sha256()
    for name, array in table.items():
        stamp.update(f"{name}{array.dtype.str}{array.shape}".encode())
        stamp.update(np.ascontiguousarray(array).data)
    return stamp.hexdigest()


def _sealed(table: Table) -> Table:
    return table | {"sha256": np.array(digest(table))}


def _intact(table: Table) -> bool:
    """Whether a table, whose seal this takes away, is as it was sealed."""
    seal = table.pop("sha256", None)
    return seal is not None and seal == digest(table)
