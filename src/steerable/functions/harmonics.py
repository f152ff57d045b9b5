"""Harmonics of the plane (circular) and of space (spherical), solid and on the unit sphere."""

from __future__ import annotations

import torch
from torch import Tensor

from .radial import safe_norm

_HIGHEST_DEGREE = 11


def solid_harmonics(x: Tensor, max_degree: int) -> Tensor:
    """Homogeneous harmonic polynomials of degrees 0 to `max_degree`, smooth everywhere.

    In space |x|^l Y_l(x/|x|) in e3nn's real basis and order, normalised by `component` (|Y_l|^2 = 2l + 1 on the
    unit sphere); in the plane 1 and sqrt(2) r^k (cos k t, sin k t).

    Args:
        x: points (..., d), d = 2 or 3.
        max_degree: highest degree, at most 11 in space.

    Returns:
        (..., (max_degree + 1)^2) in space, (..., 2 max_degree + 1) in the plane.
    """
    if not x.is_floating_point():
        raise ValueError(f"Harmonics need floating-point points; got {x.dtype}.")
    if x.shape[-1] == 2:
        return _circular(x, max_degree)
    if x.shape[-1] != 3:
        raise ValueError(f"Harmonics need points of 2 or 3 coordinates; got shape {tuple(x.shape)}.")
    if max_degree > _HIGHEST_DEGREE:
        raise ValueError(f"Spherical harmonics go up to degree {_HIGHEST_DEGREE}; got {max_degree}.")
    from e3nn.o3 import spherical_harmonics

    result: Tensor = spherical_harmonics(list(range(max_degree + 1)), x, normalize=False, normalization="component")
    return result


def spherical_harmonics(x: Tensor, max_degree: int) -> Tensor:
    """`solid_harmonics` of x/|x|; at x = 0 those of degree above 0 vanish, with zero derivatives."""
    length = safe_norm(x).unsqueeze(-1)
    unit = torch.where(length > 0, x / torch.where(length > 0, length, 1.0), 0.0)
    return solid_harmonics(unit, max_degree)


def _circular(x: Tensor, max_degree: int) -> Tensor:
    a, b = x[..., 0], x[..., 1]
    columns = [torch.ones_like(a)]
    cosine, sine = torch.full_like(a, 2**0.5), torch.zeros_like(a)
    for _ in range(max_degree):
        cosine, sine = cosine * a - sine * b, cosine * b + sine * a
        columns += [cosine, sine]
    return torch.stack(columns, -1)
