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
    """<l1 m1 l2 m2 | l m>, with the signs of Condon and Shortley.

    The eigenvectors of (J1 + J2)^2 within each m = m1 + m2, where it is tridiagonal with the
    eigenvalues l (l + 1); their signs come from the highest m downwards. Good to a few roundings at
    every degree.

    Args:
        left: l1.
        right: l2.
        degree: l.

    Returns:
        (2 l1 + 1, 2 l2 + 1, 2 l + 1), float64; zero unless |l1 - l2| <= l <= l1 + l2.
    """
    found = torch.zeros(2 * left + 1, 2 * right + 1, 2 * degree + 1, dtype=torch.float64)
    if not abs(left - right) <= degree <= left + right:
        return found
    above = np.zeros((2 * left + 1, 2 * right + 1))
    for m in range(degree, -degree - 1, -1):
        m1 = np.arange(max(-left, m - right), min(left, m + right) + 1)
        rows, columns = m1 + left, m - m1 + right
        raised = _lowered(above, left, right)[rows, columns]
        vector = _eigenvector(left, right, degree, m1, m)
        sign = np.sign(vector[-1] if m == degree else vector @ raised)
        above = np.zeros_like(above)
        above[rows, columns] = sign * vector
        found[:, :, m + degree] = torch.from_numpy(above)
    return found


def real_coupling(left: int, right: int, degree: int) -> Tensor:
    """The tensor C (2 l1 + 1, 2 l2 + 1, 2 l + 1), float64, that couples real harmonics.

    An isometry for the last axis.

    sum of C_abc (D^l1 x)_a (D^l2 y)_b = (D^l z)_c with z_c = sum of C_abc x_a y_b, for every
    rotation.
    """
    bases = real_basis(left), real_basis(right), real_basis(degree).conj()
    found = torch.einsum(
        "am,bn,ck,mnk->abc", *bases, clebsch_gordan(left, right, degree).to(torch.complex128)
    )
    return found.imag if (left + right + degree) % 2 else found.real


def _eigenvector(left: int, right: int, degree: int, m1: Orders, m: int) -> Array:
    """The eigenvector of eigenvalue l (l + 1).

    The eigenvalues of every m ascend from l = max(|l1 - l2|, |m|).
    """
    from scipy.linalg import eigh_tridiagonal  # takes a moment to import

    m2 = m - m1
    diagonal = left * (left + 1.0) + right * (right + 1) + 2 * m1 * m2
    beside = _ladder(left, m1[:-1]) * _ladder(right, -m2[:-1])
    place = degree - max(abs(left - right), abs(m))
    return np.asarray(eigh_tridiagonal(diagonal, beside)[1][:, place])


def _lowered(vector: Array, left: int, right: int) -> Array:
    """(J1_- + J2_-) of a vector (m1, m2)."""
    found = np.zeros_like(vector)
    found[:-1] += _ladder(left, np.arange(-left, left))[:, None] * vector[1:]
    found[:, :-1] += _ladder(right, np.arange(-right, right)) * vector[:, 1:]
    return found


def _ladder(degree: int, m: Orders) -> Array:
    """The size of the step between m and m + 1."""
    return np.asarray(np.sqrt(degree * (degree + 1.0) - m * (m + 1)))
