"""Water waves on a periodic square: the shallow-water equations, solved in Fourier space."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["random_water", "shallow_water"]

Array = NDArray[np.float64]
Spectrum = NDArray[np.complex128]

COURANT = 1.0  # radians by which the fastest wave that the grid holds turns in one step, at most
RESOLVED = 0.01  # of the amplitude: what the shortest waves may hold


def shallow_water(
    start: Array,
    frames: int,
    interval: float,
    viscosity: float,
    gravity: float = 1.0,
    depth: float = 1.0,
    length: float = math.tau,
) -> Array:
    """Move water by h_t = -div((H + h) v),  v_t = -(v . grad) v - g grad h + nu Laplace v.

    h is the height of the surface above rest and v the velocity, in any units that agree.
    Derivatives are exact for the waves of the grid, of which the shortest third is left out so that
    products do not alias. The classical Runge-Kutta method of order 4, with viscosity as an
    integrating factor, takes steps as short as the fastest wave needs. The total of h is kept.

    Args:
        start: h, v_x, v_y (sample, 3, n, n) at the points (i, j) length / n of the axes x, y.
        frames: how many states to return; the first is the start.
        interval: time from one frame to the next.
        viscosity: nu.
        gravity: g.
        depth: H.
        length: of the sides of the square.

    Returns:
        (sample, frame, 3, n, n).

    Raises:
        ValueError: numbers out of range, or water that falls dry or makes waves too short for the
            grid.

    Source: Canuto, Hussaini, Quarteroni and Zang, Spectral Methods, 2006, for the method.
    """
    start = np.asarray(start, dtype=np.float64)
    _check(start, frames, interval, viscosity, gravity, depth, length)
    water = _Water(start.shape[-1], viscosity, gravity, depth, length)
    films = np.empty((len(start), frames, *start.shape[1:]))
    for film, state in zip(films, start, strict=True):
        u, film[0] = np.fft.rfft2(state), state
        for k in range(frames):
            if k:
                u = water.move(u * water.kept, interval)
                film[k] = water.values(u)
            water.check(u, film[k], k)
    return films


def random_water(
    samples: int,
    points: int,
    seed: int,
    height: float = 0.1,
    speed: float = 0.3,
    waves: float = 1.5,
) -> Array:
    """States to start from: smooth random heights and velocities of mean 0, all directions alike.

    Args:
        samples: how many.
        points: n along each side, 4 or more.
        seed: of the draws.
        height: root mean square of h in every state.
        speed: root mean square of |v| in every state.
        waves: width of the spectrum of amplitudes exp(-k^2 / 2 waves^2), k in waves along a side;
            0.1 or more.

    Returns:
        h, v_x, v_y (sample, 3, n, n), as `shallow_water` takes them.

    Raises:
        ValueError: numbers out of range.
    """
    if samples < 0 or points < 4 or not 0.1 <= waves < math.inf:
        raise ValueError(
            "Random water needs 0 samples or more, 4 points along a side or more, and a width of "
            f"0.1 waves or more; got {samples=}, {points=}, {waves=}."
        )
    kx, ky = _waves_along_a_side(points)
    noise = np.random.default_rng(seed).standard_normal((samples, 3, points, points))
    spectrum = np.fft.rfft2(noise) * np.exp(-(kx**2 + ky**2) / (2 * waves**2))
    spectrum[..., 0, 0] = 0
    state: Array = np.fft.irfft2(spectrum, (points, points))
    for part, size in ((state[:, :1], height), (state[:, 1:], speed)):
        part *= size / np.sqrt((part**2).sum(1).mean((1, 2)))[:, None, None, None]
    return state


class _Water:
    """The equations for the Fourier coefficients u (3, n, n / 2 + 1) of a state."""

    def __init__(
        self, points: int, viscosity: float, gravity: float, depth: float, length: float
    ) -> None:
        kx, ky = _waves_along_a_side(points)
        longest = np.maximum(abs(kx), ky)
        self.kept = longest < points / 3
        self.shortest = longest >= longest[self.kept].max()
        self.wave = np.stack(np.broadcast_arrays(kx, ky)) * (math.tau / length)
        square = (self.wave**2).sum(0)
        self.highest = math.sqrt(square[self.kept].max())
        self.damping = viscosity * np.stack([0 * square, square, square])
        self.points, self.gravity, self.depth = points, gravity, depth

    def values(self, u: Spectrum) -> Array:
        """The numbers on the grid."""
        values: Array = np.fft.irfft2(u, (self.points, self.points))
        return values

    def move(self, u: Spectrum, interval: float) -> Spectrum:
        """The state after a time."""
        h, *v = self.values(u)
        fastest = np.hypot(*v).max() + math.sqrt(self.gravity * (self.depth + h.max()))
        steps = max(1, math.ceil(interval * fastest * self.highest / COURANT))
        step = interval / steps
        decay = np.exp(-self.damping * (step / 2))
        for _ in range(steps):
            a = self._rate(u)
            b = self._rate(decay * (u + step / 2 * a))
            c = self._rate(decay * u + step / 2 * b)
            d = self._rate(decay * (decay * u + step * c))
            u = decay * (decay * (u + step / 6 * a) + step / 3 * (b + c)) + step / 6 * d
        return u

    def check(self, u: Spectrum, state: Array, frame: int) -> None:
        """Raise ValueError unless the water of a frame is wet and resolved."""
        wet = bool(np.all(self.depth + state[0] > 0))  # False for NaN, too
        if not wet or np.linalg.norm(u[:, self.shortest]) > RESOLVED * np.linalg.norm(u):
            raise ValueError(
                f"The water of frame {frame} "
                f"{'makes waves too short for the grid' if wet else 'falls dry'}: begin with lower "
                f"waves, or take more viscosity or more than {self.points} points along a side."
            )

    def _rate(self, u: Spectrum) -> Spectrum:
        """The time derivative without viscosity."""
        h, v = np.split(self.values(u), [1])
        flux = np.fft.rfft2((self.depth + h) * v)
        slopes = self.values(1j * self.wave[:, None] * u[1:])  # d_i v_j (i, j, x, y)
        carried = np.fft.rfft2((v[:, None] * slopes).sum(0))
        rise = -(1j * self.wave * flux).sum(0, keepdims=True)
        rate: Spectrum = (
            np.concatenate([rise, -carried - self.gravity * 1j * self.wave * u[0]]) * self.kept
        )
        return rate


def _waves_along_a_side(points: int) -> tuple[Array, Array]:
    """The k of the coefficients of `rfft2`: of x (n, 1), of y (n / 2 + 1,)."""
    count = np.arange(points, dtype=np.float64)
    return np.where(count < points / 2, count, count - points)[:, None], count[: points // 2 + 1]


def _check(
    start: Array,
    frames: int,
    interval: float,
    viscosity: float,
    gravity: float,
    depth: float,
    length: float,
) -> None:
    if start.ndim != 4 or start.shape[1:] != (3, *[max(4, start.shape[3])] * 2):
        raise ValueError(
            "Water begins with h, v_x, v_y (sample, 3, n, n) on n = 4 points or more; got "
            f"{start.shape}."
        )
    if not np.isfinite(start).all():
        raise ValueError(
            "Water begins with finite heights and velocities; got some that are infinite or no "
            "numbers."
        )
    above, not_below = (interval, depth, length), (viscosity, gravity)
    if frames < 1 or not (
        all(0 < x < math.inf for x in above) and all(0 <= x < math.inf for x in not_below)
    ):
        raise ValueError(
            "Water needs 1 frame or more, an interval, a depth and a length above 0, a viscosity "
            f"and a gravity of 0 or more; got {frames=}, {interval=}, {depth=}, {length=}, "
            f"{viscosity=}, {gravity=}."
        )
