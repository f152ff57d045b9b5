"""Wigner matrices: how rotations act on harmonics.

In the standard complex basis and in the real basis of the house.

The polar axis is y, and a rotation is R = R_y(a) R_x(b) R_y(g): it takes the pole to polar angle b
and azimuth a, which counts from z towards x. Then Y_l(R x) = D^l(R) Y_l(x) for the harmonics of
`spherical_harmonics`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

_CYCLED = [
    1,
    2,
    0,
]  # x, y, z take the parts of y, z, x: the rotation about y becomes the one about x
_ORTHOGONAL = {torch.float64: 1e-9, torch.float32: 1e-4}


def wigner_d(degree: int, beta: Tensor, columns: Sequence[int] | None = None) -> Tensor:
    """Wigner's d^l_mn(b) = <l m| exp(-i b J_y) |l n> in the standard basis of Condon and Shortley.

    J_y has the eigenvalues k = -l .. l; with the real eigenvectors U of J_x, which phases i^m turn
    into those of J_y, d_mn(b) = sum_k U_mk U_nk cos(k b + (m - n) pi / 2). Worked out in float64.

    Args:
        degree: l.
        beta: angles b (...) in radians.
        columns: the orders n wanted, by default -l .. l.

    Returns:
        (..., 2l + 1, column), row m + l, in the dtype of `beta`.

    Raises:
        ValueError: a negative degree, or orders beyond it.

    Source: Feng, Wang, Yang, Jin 2015, Phys. Rev. E 92:043307.
    """
    if degree < 0 or any(abs(n) > degree for n in columns or ()):
        raise ValueError(
            f"Degree l >= 0 has the orders -l to l; got degree {degree} and orders {columns}."
        )
    order = torch.arange(-degree, degree + 1, device=beta.device)
    kept = order if columns is None else order[[n + degree for n in columns]]
    vectors = _eigenvectors(degree).to(beta.device)
    waves = beta.double().unsqueeze(-1) * order
    even, odd = (
        part.unsqueeze(-2) * vectors[kept + degree] @ vectors.T
        for part in (waves.cos(), waves.sin())
    )
    quarters = (order - kept.unsqueeze(1)) % 4
    found = torch.where(quarters % 2 == 0, even, -odd)
    return torch.where(quarters < 2, found, -found).mT.to(beta.dtype)


def wigner_matrix(degree: int, rotation: Tensor) -> Tensor:
    """The matrices D^l(R) of rotations and reflections in the real basis of the house.

    D^l(-R) = (-1)^l D^l(R).

    Smooth in the entries of R.

    Args:
        degree: l.
        rotation: orthogonal matrices R (..., 3, 3).

    Returns:
        (..., 2l + 1, 2l + 1).

    Raises:
        ValueError: matrices that are not orthogonal 3 x 3.
    """
    identity = torch.eye(2 * degree + 1, dtype=rotation.dtype, device=rotation.device)
    return turn(identity, swap(degree).to(rotation), *pole_turns(rotation)).mT


def euler_rotation(alpha: Tensor, beta: Tensor, gamma: Tensor) -> Tensor:
    """The rotations R_y(a) R_x(b) R_y(g) (..., 3, 3) of angles (...) in radians."""
    tilt = _about_pole(beta)[..., _CYCLED, :][..., _CYCLED]
    return _about_pole(alpha) @ tilt @ _about_pole(gamma)


def euler_angles(rotation: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Angles a, b, g (...) in radians with R = R_y(a) R_x(b) R_y(g).

    0 <= b <= pi, and a = 0 where b is 0 or pi.
    """
    x, y, z = rotation[..., 1].unbind(-1)  # where the pole goes
    alpha = torch.atan2(x, z)
    across = (
        alpha.cos().unsqueeze(-1) * rotation[..., 0, :]
        - alpha.sin().unsqueeze(-1) * rotation[..., 2, :]
    )
    return alpha, torch.atan2(torch.hypot(x, z), y), torch.atan2(across[..., 2], across[..., 0])


def pole_turns(rotation: Tensor) -> tuple[Tensor, Tensor]:
    """The angles that `turn` needs, and the parity.

    R = p R_y(a) R_x(b) R_y(g) R_x(d) with p = det R. Where b would come near 0 or pi, which leaves
    a and g undefined, d is a quarter turn, otherwise 0; so a, b and g are smooth and keep their
    digits.

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

    Z turns every pair m, -m about the pole; J exchanges the axes x and y, J Z(b) J = D^l(R_x(b)).

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
    about_x = _folded(_folded(wigner_d(degree, torch.tensor(math.pi / 2, dtype=torch.float64))).T).T
    order = torch.arange(-degree, degree + 1)
    about_x = torch.where((order < 0) == (order < 0)[:, None], about_x, 0)
    cosine, sine = (wave(order * (math.pi / 2)).round().double() for wave in (torch.cos, torch.sin))
    turned = cosine[:, None] * about_x - sine[:, None] * about_x.flip(
        0
    )  # by a quarter about y, on both sides
    return turned * cosine + turned.flip(1) * sine


def _folded(rows: Tensor) -> Tensor:
    """Rows m of the standard basis to those of the real one, up to the i of the sines.

    `real_basis` on the left.
    """
    degree = len(rows) // 2
    sign = 1 - 2 * (torch.arange(1, degree + 1) % 2)
    up, down = sign[:, None] * rows[degree + 1 :], rows[:degree].flip(0)
    return torch.cat([(down - up).flip(0), 2**0.5 * rows[degree : degree + 1], up + down]) / 2**0.5


def real_basis(degree: int) -> Tensor:
    """The unitary matrix that takes standard complex harmonics Y_l^m to the real ones.

    It is (2l + 1, 2l + 1), complex128.

    Y_l^0; sqrt(2) (-1)^m Re Y_l^m for m > 0; sqrt(2) (-1)^m Im Y_l^|m| for m < 0.
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
    """Eigenvectors of J_x, columns by eigenvalue -l .. l.

    They are float64 and orthonormal to a few roundings.
    """
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
    if torch.compiler.is_compiling():
        return
    gap = rotation.mT @ rotation - torch.eye(3, dtype=rotation.dtype, device=rotation.device)
    if not bool((gap.abs() < _ORTHOGONAL[rotation.dtype]).all()):
        raise ValueError(
            "Rotations are orthogonal matrices; these differ from that by "
            f"{float(gap.abs().max()):.1e}. Orthonormalise them first, torch.linalg.qr."
        )
