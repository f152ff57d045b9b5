"""Named tasks of dynamics: predict systems of particles at a later frame from an earlier one."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..splits import Split
from . import charged, gravity, solar_system, springs
from .trajectories import DT, EVERY, digest

__all__ = ["BODIES", "PRESETS", "Forecast", "baselines", "read_nbody"]

SEED = 43  # of the published data sets
GIVEN, ASKED = 30, 40  # the frames of the published task
SOLAR_STEP = 10.0  # days
BODIES = ("solar",)  # presets in which particle k is the same body in all systems
Sizes = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Forecast:
    """Trajectories, and the frame to predict from another frame.

    Args:
        position: (system, frame, particle, 3).
        velocity: velocities, of the same shape.
        scalar: an attribute of each particle (system, particle): its charge, its mass, or the
            length of its stick.
        pair: an attribute of each pair (system, particle, particle): whether a spring connects it;
            None if pairs have no attribute.
        mass: masses (system, particle); None if all are 1.
        given: the frame to predict from.
        asked: the frame to predict.
        interval: the time between the two frames.
        split: the systems for training, validation and test.
        energy: a function from positions and velocities (system, frame, particle, 3) and the
            indices of the systems to energies (system, frame).
        exact: a function from the indices of systems to their exact positions
            (system, particle, 3) at the frame `asked`; None if the equations cannot be solved.
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
        """A hash of the trajectories, which may depend on the processor.

        Near collisions amplify rounding errors until they change the trajectories.
        """
        return digest({"position": self.position, "velocity": self.velocity, "scalar": self.scalar})


def read_nbody(preset: str, sizes: Sizes | None = None) -> Forecast:
    """Create a named task.

    Args:
        preset: a name in `PRESETS`. "charged" is the benchmark of EGNN, "gravity" that of SEGNN
            with fewer systems, and "springs-K" has particles on sticks of stiffness K; these
            predict frame 40 from frame 30. "solar" predicts ten days of the Solar System in AU,
            trained on 1900 to 2000 and tested on 2010 to 2050; its scalar is the mass in solar
            masses.
        sizes: the numbers of systems for training, validation and test; by default
            10,000 / 2,000 / 2,000 (gravity: 1,000 / 200 / 200).

    Raises:
        ValueError: the preset is unknown, a size is negative, sizes are given for "solar", or its
            packages are missing.
    """
    if preset not in PRESETS:
        raise ValueError(
            f"there is no preset {preset!r}: choose one of {', '.join(map(repr, PRESETS))}."
        )
    return PRESETS[preset](sizes)


def baselines(task: Forecast) -> dict[str, float]:
    """Mean squared errors of simple predictions on the test systems.

    The mean is over systems, particles and coordinates. The predictions are "stay", "constant
    velocity", "constant acceleration" (extrapolated from the frame `given` and two earlier frames,
    equally spaced, if they exist), and "exact" if an exact solution is available.

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
    predictions = {
        "stay": now,
        "constant velocity": now + task.interval * task.velocity[test, task.given],
    }
    if task.given >= 2 * step:
        last = task.position[test, task.given - step]
        before = task.position[test, task.given - 2 * step]
        predictions["constant acceleration"] = 3 * now - 3 * last + before
    if task.exact is not None:
        predictions["exact"] = task.exact(test)
    return {
        name: float(np.square(prediction - task.position[test, task.asked]).mean())
        for name, prediction in predictions.items()
    }


def _charged(sizes: Sizes | None) -> Forecast:
    sizes = sizes or (10_000, 2_000, 2_000)
    data = charged.simulate(*sizes, seed=SEED)

    def energy(position: np.ndarray, velocity: np.ndarray, systems: np.ndarray) -> np.ndarray:
        return charged.energy(position, velocity, data.charge[systems])

    return _published(data.position, data.velocity, data.charge, None, sizes, energy)


def _gravity(sizes: Sizes | None) -> Forecast:
    sizes = sizes or (1_000, 200, 200)
    data = gravity.simulate(*sizes, seed=SEED)

    def energy(position: np.ndarray, velocity: np.ndarray, systems: np.ndarray) -> np.ndarray:
        return gravity.energy(position, velocity, data.mass[systems])

    return _published(data.position, data.velocity, data.mass, None, sizes, energy)


def _springs(sizes: Sizes | None, stiffness: float) -> Forecast:
    sizes = sizes or (10_000, 2_000, 2_000)
    data = springs.simulate(*sizes, seed=SEED, stiffness=stiffness)

    def energy(position: np.ndarray, velocity: np.ndarray, systems: np.ndarray) -> np.ndarray:
        return springs.energy(
            position, velocity, data.spring[systems], data.length[systems], stiffness
        )

    def exact(systems: np.ndarray) -> np.ndarray:
        position, velocity = data.position[systems, GIVEN], data.velocity[systems, GIVEN]
        time = (ASKED - GIVEN) * EVERY * DT
        return springs.exact(
            position, velocity, data.spring[systems], data.length[systems], stiffness, time
        )[0]

    return _published(data.position, data.velocity, data.length, data.spring, sizes, energy, exact)


def _published(
    position: np.ndarray,
    velocity: np.ndarray,
    scalar: np.ndarray,
    pair: np.ndarray | None,
    sizes: Sizes,
    energy: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray],
    exact: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Forecast:
    """The published task: unit masses, frames 30 to 40, systems in the order of the parts."""
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
    bodies = solar_system.read("1900-01-01", "2050-01-01", SOLAR_STEP, "AU")
    # A system is a window of four frames: two earlier ones, the given one and the asked one.
    position = sliding_window_view(bodies.position, 4, axis=0)
    velocity = sliding_window_view(bodies.velocity, 4, axis=0)
    day = sliding_window_view(bodies.day, 4, axis=0)
    train = np.flatnonzero(day[:, -1] <= solar_system.julian_day("2000-01-01"))
    test = np.flatnonzero(day[:, 0] >= solar_system.julian_day("2010-01-01"))
    return Forecast(
        position=np.moveaxis(position, -1, 1),
        velocity=np.moveaxis(velocity, -1, 1),
        scalar=np.broadcast_to(bodies.mass / bodies.mass[0], (len(day), len(bodies.mass))),
        pair=None,
        mass=np.broadcast_to(bodies.mass, (len(day), len(bodies.mass))),
        given=2,
        asked=3,
        interval=SOLAR_STEP,
        # Windows between the two parts that overlap neither of them.
        split=Split(train=train, validation=np.arange(train[-1] + 4, test[0] - 3), test=test),
        energy=lambda position, velocity, _: solar_system.energy(
            position, velocity, bodies.mass, bodies.gm
        ),
    )


PRESETS: dict[str, Callable[[Sizes | None], Forecast]] = {
    "charged": _charged,
    "gravity": _gravity,
    **{f"springs-{stiffness}": partial(_springs, stiffness=stiffness) for stiffness in (0, 10, 50)},
    "solar": _solar,
}
