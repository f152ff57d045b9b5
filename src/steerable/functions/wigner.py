"""Wigner matrices, which describe how rotations act on harmonics.

They are computed in the standard complex basis and in the real basis of this library. The polar
axis is y, and a rotation is R = R_y(a) R_x(b) R_y(g): it maps the pole to polar angle b and azimuth
a, measured from z towards x. Then Y_l(R x) = D^l(R) Y_l(x) for the harmonics of
`spherical_harmonics`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from ..tracing import is_traced

_CYCLE = [1, 2, 0]  # x, y, z take the roles of y, z, x: a rotation about y becomes one about x
_ORTHOGONAL = {torch.float64: 1e-9, torch.float32: 1e-4}


def wigner_d(degree: int, beta: Tensor, columns: Sequence[int] | None = None) -> Tensor:
    """Wigner's d^l_mn(b) = <l m| exp(-i b J_y) |l n> in the standard Condon-Shortley basis.

    J_y has the eigenvalues k = -l .. l. With the real eigenvectors U of J_x, which phases i^m turn
    into those of J_y, d_mn(b) = sum_k U_mk U_nk cos(k b + (m - n) pi / 2). Computed in float64.

    Args:
        degree: l.
        beta: angles b (...) in radians.
        columns: the orders n to compute, by default -l .. l.

    Returns:
        (..., 2l + 1, column), row m + l, in the dtype of `beta`.

    Raises:
        ValueError: the degree is negative, or an order exceeds it.

    Source: Feng, Wang, Yang, Jin 2015, Phys. Rev. E 92:043307.
    """
    if degree < 0 or any(abs(n) > degree for n in columns or ()):
        raise ValueError(
            f"Degree l >= 0 has the orders -l to l; got degree {degree} and orders {columns}."
        )
    order = torch.arange(-degree, degree + 1, device=beta.device)
    selection = order if columns is None else order[[n + degree for n in columns]]
    vectors = _eigenvectors(degree).to(beta.device)
    left = vectors[selection + degree]
    waves = beta.double().unsqueeze(-1) * order
    even = waves.cos().unsqueeze(-2) * left @ vectors.T
    odd = waves.sin().unsqueeze(-2) * left @ vectors.T

    # cos(k b + q pi / 2) is cos, -sin, -cos, sin of k b for q = m - n = 0, 1, 2, 3 modulo 4.
    quarters = (order - selection.unsqueeze(1)) % 4
    unsigned = torch.where(quarters % 2 == 0, even, -odd)
    return torch.where(quarters < 2, unsigned, -unsigned).mT.to(beta.dtype)


def wigner_matrix(degree: int, rotation: Tensor) -> Tensor:
    """The matrices D^l(R) of rotations and reflections in the real basis of this library.

    Reflections act by D^l(-R) = (-1)^l D^l(R). The result is a smooth function of the entries of R.

    Args:
        degree: l.
        rotation: orthogonal matrices R (..., 3, 3).

    Returns:
        (..., 2l + 1, 2l + 1).

    Raises:
        ValueError: a matrix is not an orthogonal 3 x 3 matrix.
    """
    identity = torch.eye(2 * degree + 1, dtype=rotation.dtype, device=rotation.device)
    return turn(identity, swap(degree).to(rotation), *pole_turns(rotation)).mT


def euler_rotation(alpha: Tensor, beta: Tensor, gamma: Tensor) -> Tensor:
    """The rotations R_y(a) R_x(b) R_y(g) (..., 3, 3) of angles (...) in radians."""
    tilt = _about_pole(beta)[..., _CYCLE, :][..., _CYCLE]
    return _about_pole(alpha) @ tilt @ _about_pole(gamma)


def euler_angles(rotation: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The angles a, b, g (...) in radians with R = R_y(a) R_x(b) R_y(g).

    0 <= b <= pi, and a = 0 if b is 0 or pi.
    """
    x, y, z = rotation[..., 1].unbind(-1)  # the image of the pole
    alpha = torch.atan2(x, z)
    # The first row of R_y(-a) R = R_x(b) R_y(g) does not depend on b: it is (cos g, 0, sin g).
    across = (
        alpha.cos().unsqueeze(-1) * rotation[..., 0, :]
        - alpha.sin().unsqueeze(-1) * rotation[..., 2, :]
    )
    return alpha, torch.atan2(torch.hypot(x, z), y), torch.atan2(across[..., 2], across[..., 0])


def pole_turns(rotation: Tensor) -> tuple[Tensor, Tensor]:
    """The angles that `turn` needs, and the parity.

    R = p R_y(a) R_x(b) R_y(g) R_x(d) with p = det R. If b would be near 0 or pi, where a and g are
    not determined, d is a quarter turn; otherwise it is 0. This keeps a, b and g smooth and
    accurate.

    Args:
        rotation: orthogonal matrices R (..., 3, 3).

    Returns:
        The angles (d, g, b, a) in radians (4, ...), and p (...).
    """
    _check_orthogonal(rotation)
    parity = torch.linalg.det(rotation).sign()
    proper = parity[..., None, None] * rotation
    near = proper[..., 1, 1].square() > 0.5
    x, y, z = proper.unbind(-1)
    safe = torch.where(near[..., None, None], torch.stack([x, -z, y], -1), proper)  # R R_x(-pi/2)
    alpha, beta, gamma = euler_angles(safe)
    return torch.stack([near.to(alpha.dtype) * (math.pi / 2), gamma, beta, alpha]), parity


def turn(x: Tensor, swap: Tensor, angles: Tensor, parity: Tensor) -> Tensor:
    """Apply D^l(R) = p^l Z(a) J Z(b) J Z(g) J Z(d) J to vectors (..., column, 2l + 1).

    Z rotates every pair m, -m about the pole. J exchanges the axes x and y: J Z(b) J = D^l(R_x(b)).

    Args:
        x: vectors (..., column, 2l + 1).
        swap: J (2l + 1, 2l + 1).
        angles: from `pole_turns`, (4, ...).
        parity: p (...).
    """
    degree = swap.shape[0] // 2
    order = torch.arange(-degree, degree + 1, dtype=x.dtype, device=x.device)
    for angle in angles:
        x = x @ swap
        wave = angle[..., None, None] * order
        x = wave.cos() * x - wave.sin() * x.flip(-1)
    return parity[..., None, None] * x if degree % 2 else x


@lru_cache(maxsize=512)
def swap(degree: int) -> Tensor:
    """The symmetric matrix J = D^l of the half turn that exchanges x and y, z -> -z; float64."""
    # D^l of the quarter turn about x, in the real basis; it does not mix cosines with sines.
    quarter = wigner_d(degree, torch.tensor(math.pi / 2, dtype=torch.float64))
    about_x = _fold(_fold(quarter).T).T
    order = torch.arange(-degree, degree + 1)
    about_x = torch.where((order < 0) == (order < 0)[:, None], about_x, 0)

    # A quarter turn about y, from the left and from the right.
    angle = order * (math.pi / 2)
    cosine, sine = torch.cos(angle).round().double(), torch.sin(angle).round().double()
    product = cosine[:, None] * about_x - sine[:, None] * about_x.flip(0)
    return product * cosine + product.flip(1) * sine


def _fold(rows: Tensor) -> Tensor:
    """Apply `real_basis` from the left to rows m, without the factor i of the sines."""
    degree = len(rows) // 2
    sign = 1 - 2 * (torch.arange(1, degree + 1) % 2)
    up, down = sign[:, None] * rows[degree + 1 :], rows[:degree].flip(0)
    return torch.cat([(down - up).flip(0), 2**0.5 * rows[degree : degree + 1], up + down]) / 2**0.5


def real_basis(degree: int) -> Tensor:
    """The unitary matrix (2l + 1, 2l + 1) from standard complex harmonics Y_l^m to real ones.

    The real harmonics are Y_l^0, sqrt(2) (-1)^m Re Y_l^m for m > 0, and
    sqrt(2) (-1)^m Im Y_l^|m| for m < 0. The dtype is complex128.
    """
    change = np.zeros((2 * degree + 1, 2 * degree + 1), complex)
    change[degree, degree] = 1
    for m in range(1, degree + 1):
        up, down = degree + m, degree - m
        change[up, [up, down]] = np.array([(-1) ** m, 1]) / math.sqrt(2)
        change[down, [up, down]] = np.array([-1j * (-1) ** m, 1j]) / math.sqrt(2)
    return torch.from_numpy(change)


@lru_cache(maxsize=512)
def _eigenvectors(degree: int) -> Tensor:
    """The eigenvectors of J_x as columns, by eigenvalue -l .. l; float64."""
    from scipy.linalg import eigh_tridiagonal  # takes a moment to import

    m = np.arange(-degree, degree)
    rising = np.sqrt(degree * (degree + 1) - m * (m + 1.0)) / 2
    return torch.from_numpy(eigh_tridiagonal(np.zeros(2 * degree + 1), rising)[1])


def _about_pole(angle: Tensor) -> Tensor:
    c, s, zero, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    return torch.stack([c, zero, s, zero, one, zero, -s, zero, c], -1).unflatten(-1, (3, 3))


def _check_orthogonal(rotation: Tensor) -> None:
    if rotation.shape[-2:] != (3, 3) or rotation.dtype not in _ORTHOGONAL:
        raise ValueError(
            f"Rotations are float32 or float64 matrices (..., 3, 3); got {rotation.dtype} "
            f"{tuple(rotation.shape)}."
        )
    if is_traced(rotation):
        return
    gap = rotation.mT @ rotation - torch.eye(3, dtype=rotation.dtype, device=rotation.device)
    if not bool((gap.abs() < _ORTHOGONAL[rotation.dtype]).all()):
        raise ValueError(
            "Rotations are orthogonal matrices; these differ from that by "
            f"{float(gap.abs().max()):.1e}. Orthonormalise them first, torch.linalg.qr."
        )
