"""Clebsch-Gordan coefficients in the standard complex basis, and the coupling of real harmonics."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .wigner import real_basis

Array = NDArray[np.float64]
Orders = NDArray[np.signedinteger]


@lru_cache(maxsize=1024)
def clebsch_gordan(left: int, right: int, degree: int) -> Tensor:
    """Clebsch-Gordan coefficients <l1 m1 l2 m2 | l m> with the Condon-Shortley phase.

    They are the eigenvectors of (J1 + J2)^2 for each m = m1 + m2, where it is tridiagonal with
    eigenvalues l (l + 1). Signs are fixed from the highest m downwards. The error is a few
    roundings at every degree.

    Args:
        left: l1.
        right: l2.
        degree: l.

    Returns:
        (2 l1 + 1, 2 l2 + 1, 2 l + 1), float64; zero unless |l1 - l2| <= l <= l1 + l2.
    """
    coefficients = torch.zeros(2 * left + 1, 2 * right + 1, 2 * degree + 1, dtype=torch.float64)
    if not abs(left - right) <= degree <= left + right:
        return coefficients
    above = np.zeros((2 * left + 1, 2 * right + 1))
    for m in range(degree, -degree - 1, -1):
        m1 = np.arange(max(-left, m - right), min(left, m + right) + 1)
        rows, columns = m1 + left, m - m1 + right
        vector = _eigenvector(left, right, degree, m1, m)
        # J_- of the vector of m + 1 has positive overlap with that of m; at the top the component
        # of the highest m1 is positive.
        lowered = _lower(above, left, right)[rows, columns]
        sign = np.sign(vector[-1] if m == degree else vector @ lowered)
        above = np.zeros_like(above)
        above[rows, columns] = sign * vector
        coefficients[:, :, m + degree] = torch.from_numpy(above)
    return coefficients


def real_coupling(left: int, right: int, degree: int) -> Tensor:
    """The tensor C (2 l1 + 1, 2 l2 + 1, 2 l + 1), float64, that couples real harmonics.

    With z_c = sum of C_abc x_a y_b, sum of C_abc (D^l1 x)_a (D^l2 y)_b = (D^l z)_c for every
    rotation. C is an isometry with respect to its last axis.
    """
    bases = real_basis(left), real_basis(right), real_basis(degree).conj()
    tensor = torch.einsum(
        "am,bn,ck,mnk->abc", *bases, clebsch_gordan(left, right, degree).to(torch.complex128)
    )
    return tensor.imag if (left + right + degree) % 2 else tensor.real


def _eigenvector(left: int, right: int, degree: int, m1: Orders, m: int) -> Array:
    """The eigenvector of (J1 + J2)^2 with eigenvalue l (l + 1)."""
    from scipy.linalg import eigh_tridiagonal  # takes a moment to import

    m2 = m - m1
    diagonal = left * (left + 1.0) + right * (right + 1) + 2 * m1 * m2
    beside = _ladder(left, m1[:-1]) * _ladder(right, -m2[:-1])
    place = degree - max(abs(left - right), abs(m))  # eigenvalues ascend from this lowest degree
    return np.asarray(eigh_tridiagonal(diagonal, beside)[1][:, place])


def _lower(vector: Array, left: int, right: int) -> Array:
    """(J1_- + J2_-) applied to a vector (m1, m2)."""
    result = np.zeros_like(vector)
    result[:-1] += _ladder(left, np.arange(-left, left))[:, None] * vector[1:]
    result[:, :-1] += _ladder(right, np.arange(-right, right)) * vector[:, 1:]
    return result


def _ladder(degree: int, m: Orders) -> Array:
    """The matrix elements of J_+ and J_- between m and m + 1."""
    return np.asarray(np.sqrt(degree * (degree + 1.0) - m * (m + 1)))
