"""The motion of the Sun, the planets and the Moon, from the ephemeris DE421."""

import hashlib
import importlib.util
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .conserved import kinetic_energy, pair_distances

__all__ = ["AU", "BODIES", "SolarSystem", "energy", "julian_day", "read"]

AU = 149_597_870.7  # km, exact by definition (IAU 2012)
# km³ / (kg s²), CODATA 2018. It is known to 2e-5 only, its products with masses to 1e-9.
NEWTON = 6.67430e-20
DAY = 86_400.0  # s
EPOCH = 2_440_587.5  # the Julian day of 1970-01-01
SHA256 = "a20a7139da04cbc462454634918e9a9ca69127044e2cc9d4f9c16e238d2deedc"
INSTALL = "pip install 'steerable[solar]'"

# The segments of the file that lead from the barycentre to a body, and its GM in km³/s². Beyond
# Earth the position of a planet is the barycentre of the planet and its moons. GM: Folkner,
# Williams and Boggs (2009), table 8; IERS Conventions (2010).
_BODIES: dict[str, tuple[list[tuple[int, int]], float]] = {
    "Sun": ([(0, 10)], 132_712_440_040.944),
    "Mercury": ([(0, 1)], 22_032.09),
    "Venus": ([(0, 2)], 324_858.592),
    "Earth": ([(0, 3), (3, 399)], 398_600.436233),
    "Moon": ([(0, 3), (3, 301)], 4_902.800076),
    "Mars": ([(0, 4)], 42_828.375214),
    "Jupiter": ([(0, 5)], 126_712_764.8),
    "Saturn": ([(0, 6)], 37_940_585.2),
    "Uranus": ([(0, 7)], 5_794_548.6),
    "Neptune": ([(0, 8)], 6_836_535.0),
    "Pluto": ([(0, 9)], 977.0),
}
BODIES = tuple(_BODIES)


class SolarSystem(NamedTuple):
    """The positions and velocities of `BODIES` relative to the barycentre, in the axes of the ICRF.

    Args:
        position: (frame, body, 3) float64 in km, or AU.
        velocity: velocities, of the same shape, in km/day, or AU/day.
        mass: (body,) in kg.
        gm: mass times the gravitational constant (body,) in km³/day², or AU³/day²; it is known far
            more accurately than `mass`.
        day: the Julian day of each frame (frame,) in barycentric dynamical time (TDB; UTC is a
            minute behind).
    """

    position: np.ndarray
    velocity: np.ndarray
    mass: np.ndarray
    gm: np.ndarray
    day: np.ndarray


def read(
    start: str = "1900-01-01", stop: str = "2050-01-01", step: float = 1.0, unit: str = "km"
) -> SolarSystem:
    """Read positions and velocities from the ephemeris.

    This takes about a second. The hash of the file is verified every time, and nothing is cached.

    Args:
        start: the date of the first frame, such as "1999-08-11" or "1999-08-11T11:03".
        stop: the latest date of a frame. The ephemeris covers 1899-07-29 to 2053-10-09.
        step: the number of days from one frame to the next.
        unit: "km" or "AU".

    Raises:
        ValueError: a date is invalid or outside the ephemeris, `stop` is before `start`, `step` is
            not positive, the unit is unknown, or the packages skyfield-data and jplephem are
            missing or damaged.

    Source: Folkner, Williams and Boggs, "The planetary and lunar ephemeris DE 421", IPN Progress
    Report 42-178 (2009).
    """
    if unit not in ("km", "AU"):
        raise ValueError(f"the unit is 'km' or 'AU'; got {unit!r}.")
    if not 0 < step < np.inf:
        raise ValueError(f"a step is a positive number of days; got {step}.")
    first, last = julian_day(start), julian_day(stop)
    if last < first:
        raise ValueError(f"the stop {stop} is before the start {start}: exchange them.")
    # Slightly more than the quotient, which may be rounded to just below a whole number.
    day = np.minimum(first + step * np.arange(int((last - first) / step * (1 + 1e-12)) + 1), last)
    position, velocity = _states(_source(), day)
    length = AU if unit == "AU" else 1.0
    gm = np.array([gm for _, gm in _BODIES.values()]) * DAY**2
    return SolarSystem(
        position / length, velocity / length, gm / (NEWTON * DAY**2), gm / length**3, day
    )


def energy(
    position: np.ndarray, velocity: np.ndarray, mass: np.ndarray, gm: np.ndarray
) -> np.ndarray:
    """The Newtonian energy E = sum of m v² / 2 - sum over pairs of G m_i m_j / |x_i - x_j|.

    Args:
        position: (..., frame, body, 3) in km, or AU.
        velocity: velocities, of the same shape, in km/day, or AU/day.
        mass: (body,) in kg.
        gm: (body,) in km³/day², or AU³/day².

    Returns:
        (..., frame) in kg km²/day², or kg AU²/day².

    Raises:
        ValueError: two bodies are at the same position.
    """
    first, second = np.triu_indices(position.shape[-2], 1)
    potential: np.ndarray = (mass[first] * gm[second] / pair_distances(position)).sum(-1)
    return kinetic_energy(velocity, mass) - potential


def julian_day(date: str) -> float:
    """The Julian day of a date such as "1999-08-11" or "1999-08-11T11:03".

    Raises:
        ValueError: it is not a date.
    """
    try:
        moment = np.datetime64(str(date), "s")
        if np.isnat(moment):
            raise ValueError("not a time")
    except ValueError as error:
        raise ValueError(
            f"a date is written '1999-08-11' or '1999-08-11T11:03'; got {date!r}."
        ) from error
    return EPOCH + int(moment.astype(np.int64)) / DAY


def _date(day: float) -> str:
    return str(np.datetime64(round((day - EPOCH) * DAY), "s").astype("datetime64[D]"))


def _source() -> Path:
    """The ephemeris in the package `skyfield-data`.

    The package is located but not imported, since importing it warns about its age.
    """
    package = importlib.util.find_spec("skyfield_data")
    if package is None or not package.submodule_search_locations:
        raise ValueError(
            f"The Solar System comes with the package skyfield-data and it is not there: {INSTALL}"
        )
    path = Path(package.submodule_search_locations[0]) / "data" / "de421.bsp"
    if not path.is_file():
        raise ValueError(
            f"The package skyfield-data has no file {path}: pip install 'skyfield-data==7.0.0'"
        )
    with path.open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != SHA256:
            raise ValueError(
                f"{path} is not the ephemeris DE421: pip install --force-reinstall "
                "'skyfield-data==7.0.0'"
            )
    return path


def _states(path: Path, day: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions (frame, body, 3) in km and velocities in km/day."""
    try:
        from jplephem.spk import SPK
    except ImportError as error:
        raise ValueError(
            f"The Solar System is read with the package jplephem and it is not there: {INSTALL}"
        ) from error
    with SPK.open(str(path)) as kernel:
        begin = max(segment.start_jd for segment in kernel.segments)
        end = min(segment.end_jd for segment in kernel.segments)
        if day[0] < begin or day[-1] > end:
            raise ValueError(
                f"the ephemeris reaches from {_date(begin)} to {_date(end)}; got {_date(day[0])} "
                f"to {_date(day[-1])}: choose dates within."
            )
        bodies = np.zeros((len(_BODIES), 2, 3, len(day)))
        for body, (segments, _) in zip(bodies, _BODIES.values(), strict=True):
            for segment in segments:
                body += np.array(kernel[segment].compute_and_differentiate(day))
    # To (position or velocity, frame, body, 3).
    position, velocity = np.ascontiguousarray(bodies.transpose(1, 3, 0, 2))
    return position, velocity
