"""Points as signals on the sphere, in closed form: without a grid and without aliasing."""

from __future__ import annotations

import torch
from torch import Tensor

from ..tracing import is_traced
from .harmonics import solid_harmonics, spherical_harmonics

_SHARPEST = 700.0  # exp overflows in float64 beyond 709


def coulomb_harmonics(x: Tensor, max_degree: int, radius: float) -> Tensor:
    """Coefficients of the Coulomb potential 1 / |radius u - x| of points x, a signal of u.

    f^l = r^l / (2l + 1) |x|^-(l+1) Y_l(x/|x|) if |x| exceeds the radius r; otherwise |x| and r are
    exchanged. The potential of several charges is the sum over the points, weighted by charge.

    Args:
        x: points (..., 3).
        max_degree: the highest degree.
        radius: r, in the unit of x.

    Returns:
        (..., (max_degree + 1)^2), as in `SphereTransform`, in the inverse unit of x.

    Raises:
        ValueError: the radius is not positive, a point is not finite, or a point lies on the
            sphere, where its potential is infinite.
    """
    if radius <= 0:
        raise ValueError(f"The radius of the sphere is positive; got {radius}.")
    _check_places(x)
    square = x.square().sum(-1, keepdim=True) / radius**2
    if not is_traced(square) and bool((square == 1).any()):
        raise ValueError(
            f"A point lies on the sphere of radius {radius}, where its potential is infinite."
        )
    degree = torch.arange(max_degree + 1, dtype=x.dtype, device=x.device)
    sizes = 2 * torch.arange(max_degree + 1, device=x.device) + 1
    outside = torch.where(square > 1, square, 1.0) ** -(degree + 0.5)
    scale = (outside / ((2 * degree + 1) * radius)).repeat_interleave(sizes, -1)
    return scale * solid_harmonics(x / radius, max_degree)


def bump_harmonics(x: Tensor, max_degree: int, sharpness: float) -> Tensor:
    """Coefficients of exp(k u.x/|x|), a smooth bump in the direction of points x, a signal of u.

    f^l = i_l(k) Y_l(x/|x|) with the modified spherical Bessel functions i_l.

    Args:
        x: points (..., 3).
        max_degree: the highest degree.
        sharpness: k; the bump is about 1 / sqrt(k) radians wide.

    Returns:
        (..., (max_degree + 1)^2), as in `SphereTransform`.

    Raises:
        ValueError: the sharpness is not between 0 and 700, or a point is not finite.
    """
    if not 0 <= sharpness <= _SHARPEST:
        raise ValueError(
            f"The sharpness of a bump is between 0 and {_SHARPEST:g}; got {sharpness}."
        )
    _check_places(x)
    scale = [_modified_bessel(l, sharpness) for l in range(max_degree + 1)]
    sizes = 2 * torch.arange(max_degree + 1, device=x.device) + 1
    return x.new_tensor(scale).repeat_interleave(sizes) * spherical_harmonics(x, max_degree)


def _check_places(x: Tensor) -> None:
    if x.shape[-1:] != (3,):
        raise ValueError(f"Points are (..., 3); got shape {tuple(x.shape)}.")
    if not is_traced(x) and not bool(x.isfinite().all()):
        raise ValueError("Points are finite; got NaN or infinity.")


def _modified_bessel(degree: int, x: float) -> float:
    """The modified spherical Bessel function i_l(x), by its power series of positive terms.

    i_l(x) = x^l / (2l + 1)!! sum over j of (x^2 / 2)^j / (j! (2l + 3) ... (2l + 2j + 1)).
    """
    term = 1.0
    for k in range(1, degree + 1):
        term *= x / (2 * k + 1)
    total, j = 0.0, 0
    while abs(term) > 1e-17 * abs(total):
        total, j = total + term, j + 1
        term *= x * x / (2 * j * (2 * degree + 2 * j + 1))
    return total
