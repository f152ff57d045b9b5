"""Water waves on a periodic square: the shallow-water equations, solved in Fourier space."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["random_water", "shallow_water"]

Array = NDArray[np.float64]
Spectrum = NDArray[np.complex128]

COURANT = 1.0  # the largest phase in radians by which the fastest wave advances in one step
RESOLVED = 0.01  # the largest share of the amplitude that the shortest waves may have


def shallow_water(
    start: Array,
    frames: int,
    interval: float,
    viscosity: float,
    gravity: float = 1.0,
    depth: float = 1.0,
    length: float = math.tau,
) -> Array:
    """Solve the shallow-water equations h_t = -div((H + h) v), v_t = -(v . grad) v - g grad h + ...

    The last term is nu Laplace v. h is the height of the surface above rest and v the velocity, in
    any consistent units. Derivatives are exact for the waves of the grid; the shortest third of the
    waves is removed so that products do not alias. Time is integrated by the classical Runge-Kutta
    method of order 4 with viscosity as an integrating factor; the steps are as short as the fastest
    wave requires. The total of h is conserved.

    Args:
        start: h, v_x, v_y (sample, 3, n, n) at the points (i, j) length / n of the axes x, y.
        frames: the number of states to return; the first is the start.
        interval: the time from one frame to the next.
        viscosity: nu.
        gravity: g.
        depth: H.
        length: the length of the sides of the square.

    Returns:
        (sample, frame, 3, n, n).

    Raises:
        ValueError: an argument is out of range, or the water falls dry or develops waves too short
            for the grid.

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
                u = water.move(u * water.resolved, interval)
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
    """Random initial states: smooth, isotropic heights and velocities of mean 0.

    Args:
        samples: the number of states.
        points: the number n of points along each side, 4 or more.
        seed: the seed of the random numbers.
        height: the root mean square of h in every state.
        speed: the root mean square of |v| in every state.
        waves: the width of the spectrum of amplitudes exp(-k^2 / 2 waves^2), with k in waves along
            a side; 0.1 or more.

    Returns:
        h, v_x, v_y (sample, 3, n, n), as expected by `shallow_water`.

    Raises:
        ValueError: an argument is out of range.
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
        # Products of two waves with |k| < n / 3 do not alias onto such waves (the 2/3 rule).
        largest = np.maximum(abs(kx), ky)
        self.resolved = largest < points / 3
        self.shortest = largest >= largest[self.resolved].max()
        self.wave = np.stack(np.broadcast_arrays(kx, ky)) * (math.tau / length)
        square = (self.wave**2).sum(0)
        self.highest = math.sqrt(square[self.resolved].max())
        self.damping = viscosity * np.stack([0 * square, square, square])
        self.points, self.gravity, self.depth = points, gravity, depth

    def values(self, u: Spectrum) -> Array:
        """The values on the grid."""
        values: Array = np.fft.irfft2(u, (self.points, self.points))
        return values

    def move(self, u: Spectrum, interval: float) -> Spectrum:
        """The state after an interval of time."""
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
        """Raise ValueError if the water of a frame falls dry or is not resolved by the grid."""
        wet = bool(np.all(self.depth + state[0] > 0))  # also False for NaN
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
        advection = np.fft.rfft2((v[:, None] * slopes).sum(0))
        rise = -(1j * self.wave * flux).sum(0, keepdims=True)
        acceleration = -advection - self.gravity * 1j * self.wave * u[0]
        rate: Spectrum = np.concatenate([rise, acceleration]) * self.resolved
        return rate


def _waves_along_a_side(points: int) -> tuple[Array, Array]:
    """The wave numbers k of the coefficients of `rfft2`: of x (n, 1) and of y (n / 2 + 1,)."""
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
    positive = all(0 < x < math.inf for x in (interval, depth, length))
    not_negative = all(0 <= x < math.inf for x in (viscosity, gravity))
    if frames < 1 or not positive or not not_negative:
        raise ValueError(
            "Water needs 1 frame or more, an interval, a depth and a length above 0, a viscosity "
            f"and a gravity of 0 or more; got {frames=}, {interval=}, {depth=}, {length=}, "
            f"{viscosity=}, {gravity=}."
        )
