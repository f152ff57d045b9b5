"""Named tasks of dynamics: systems of particles at one frame, asked for at a later one."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..splits import Split
from . import charged, gravity, solar_system, springs
from .trajectories import DT, EVERY, digest

__all__ = ["BODIES", "PRESETS", "Forecast", "baselines", "read_nbody"]

SEED = 43  # of the published sets
GIVEN, ASKED = 30, 40  # frames of the published task
SOLAR_STEP = 10.0  # days
BODIES = ("solar",)  # presets in which particle k is the same body in all systems
Sizes = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Forecast:
    """Trajectories, and which frame of them is to be told from which.

    Args:
        position: (system, frame, particle, 3).
        velocity: of the same shape.
        scalar: what is known of each particle (system, particle): its charge, its mass, or the
            length of its stick.
        pair: what is known of each pair (system, particle, particle): whether a spring joins it;
            None where nothing is.
        mass: (system, particle); None where all are 1.
        given: the frame to start from.
        asked: the frame to tell.
        interval: the time between them.
        split: which systems are for training, validation and test.
        energy: from positions and velocities (system, frame, particle, 3) and the systems' indices
            to (system, frame).
        exact: from systems' indices to the positions (system, particle, 3) that the solved
            equations give; None where nobody can solve them.
    """

    position: np.ndarray
    velocity: np.ndarray
    scalar: np.ndarray
    pair: np.ndarray | None
    mass: np.ndarray | None
    given: int
    asked: int
    interval: float
    split: Split
    energy: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
    exact: Callable[[np.ndarray], np.ndarray] | None = None

    @property
    def sha256(self) -> str:
        """A hash of the trajectories.

        Near collisions make even the rounding of another processor matter.
        """
        return digest({"position": self.position, "velocity": self.velocity, "scalar": self.scalar})


def read_nbody(preset: str, sizes: Sizes | None = None) -> Forecast:
    """Make a named task.

    Args:
        preset: a name in `PRESETS`. "charged" is the benchmark of EGNN, "gravity" that of SEGNN on
            fewer systems, "springs-K" particles on sticks of stiffness K, frames 30 to 40 each;
            "solar" is ten days of the Solar System in AU, from 1900 to 2000 for training, from 2010
            to 2050 for the test, the scalar its masses in Suns.
        sizes: systems to train, validate and test on, in place of 10,000 / 2,000 / 2,000 (gravity:
            1,000 / 200 / 200).

    Raises:
        ValueError: an unknown preset, sizes below 0, sizes of "solar", or its packages are missing.
    """
    if preset not in PRESETS:
        raise ValueError(
            f"there is no preset {preset!r}: choose one of {', '.join(map(repr, PRESETS))}."
        )
    return PRESETS[preset](sizes)


def baselines(task: Forecast) -> dict[str, float]:
    """Mean squared errors on the test systems of predictions that learn nothing.

    The mean is over particles and coordinates.

    "stay", "constant velocity", "constant acceleration" (through the given frame and two before, as
    far apart as the asked one) where there are such, and "exact" where it is known.

    Raises:
        ValueError: there is no test system.
    """
    test = task.split.test
    if not len(test):
        raise ValueError(
            "baselines are taken on the test systems and there is none: give the test a size of at "
            "least 1."
        )
    now, step = task.position[test, task.given], task.asked - task.given
    told = {"stay": now, "constant velocity": now + task.interval * task.velocity[test, task.given]}
    if task.given >= 2 * step:
        last, before = (
            task.position[test, task.given - step],
            task.position[test, task.given - 2 * step],
        )
        told["constant acceleration"] = 3 * now - 3 * last + before
    if task.exact is not None:
        told["exact"] = task.exact(test)
    return {
        name: float(np.square(found - task.position[test, task.asked]).mean())
        for name, found in told.items()
    }


def _charged(sizes: Sizes | None) -> Forecast:
    sizes = sizes or (10_000, 2_000, 2_000)
    found = charged.simulate(*sizes, seed=SEED)

    def energy(position: np.ndarray, velocity: np.ndarray, systems: np.ndarray) -> np.ndarray:
        return charged.energy(position, velocity, found.charge[systems])

    return _published(found.position, found.velocity, found.charge, None, sizes, energy)


def _gravity(sizes: Sizes | None) -> Forecast:
    sizes = sizes or (1_000, 200, 200)
    found = gravity.simulate(*sizes, seed=SEED)

    def energy(position: np.ndarray, velocity: np.ndarray, systems: np.ndarray) -> np.ndarray:
        return gravity.energy(position, velocity, found.mass[systems])

    return _published(found.position, found.velocity, found.mass, None, sizes, energy)


def _springs(sizes: Sizes | None, stiffness: float) -> Forecast:
    sizes = sizes or (10_000, 2_000, 2_000)
    found = springs.simulate(*sizes, seed=SEED, stiffness=stiffness)

    def energy(position: np.ndarray, velocity: np.ndarray, systems: np.ndarray) -> np.ndarray:
        return springs.energy(
            position, velocity, found.spring[systems], found.length[systems], stiffness
        )

    def exact(systems: np.ndarray) -> np.ndarray:
        position, velocity = found.position[systems, GIVEN], found.velocity[systems, GIVEN]
        time = (ASKED - GIVEN) * EVERY * DT
        return springs.exact(
            position, velocity, found.spring[systems], found.length[systems], stiffness, time
        )[0]

    return _published(
        found.position, found.velocity, found.length, found.spring, sizes, energy, exact
    )


def _published(
    position: np.ndarray,
    velocity: np.ndarray,
    scalar: np.ndarray,
    pair: np.ndarray | None,
    sizes: Sizes,
    energy: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray],
    exact: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Forecast:
    """The published task.

    Unit masses, frames 30 to 40, training, validation and test systems in this order.
    """
    train, validation, test = np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:2])
    interval = (ASKED - GIVEN) * EVERY * DT
    parts = Split(train=train, validation=validation, test=test)
    return Forecast(
        position, velocity, scalar, pair, None, GIVEN, ASKED, interval, parts, energy, exact
    )


def _solar(sizes: Sizes | None) -> Forecast:
    if sizes is not None:
        raise ValueError(
            f"the parts of 'solar' are years and have fixed sizes; got {sizes}: leave them out."
        )
    found = solar_system.read("1900-01-01", "2050-01-01", SOLAR_STEP, "AU")
    # A system is four frames: two before, the given one, the asked one.
    position, velocity, day = (
        sliding_window_view(part, 4, axis=0) for part in (found.position, found.velocity, found.day)
    )
    train = np.flatnonzero(day[:, -1] <= solar_system.julian_day("2000-01-01"))
    test = np.flatnonzero(day[:, 0] >= solar_system.julian_day("2010-01-01"))
    return Forecast(
        position=np.moveaxis(position, -1, 1),
        velocity=np.moveaxis(velocity, -1, 1),
        scalar=np.broadcast_to(found.mass / found.mass[0], (len(day), len(found.mass))),
        pair=None,
        mass=np.broadcast_to(found.mass, (len(day), len(found.mass))),
        given=2,
        asked=3,
        interval=SOLAR_STEP,
        # Between the parts some windows are of neither.
        split=Split(train=train, validation=np.arange(train[-1] + 4, test[0] - 3), test=test),
        energy=lambda position, velocity, _: solar_system.energy(
            position, velocity, found.mass, found.gm
        ),
    )


PRESETS: dict[str, Callable[[Sizes | None], Forecast]] = {
    "charged": _charged,
    "gravity": _gravity,
    **{f"springs-{stiffness}": partial(_springs, stiffness=stiffness) for stiffness in (0, 10, 50)},
    "solar": _solar,
}
