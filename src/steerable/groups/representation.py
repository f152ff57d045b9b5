"""Representations of O(d) on harmonics, their restrictions and their tensor products."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cache
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .closure import Array, Symmetry


@runtime_checkable
class Representation(Hashable, Protocol):
    """An orthogonal representation of a group; hashable, so that bases can be cached by it."""

    @property
    def group(self) -> Symmetry: ...

    @property
    def dim(self) -> int: ...

    def matrices(self, elements: Array) -> Array:
        """The matrices (element, dim, dim) of group elements (element, d, d), float64."""
        ...


@dataclass(frozen=True)
class Harmonic:
    """The harmonics of one degree as a representation of a closed subgroup of O(d).

    In space, rotations act by Y_l(g x) = D^l(g) Y_l(x) (e3nn's real basis and component order), and
    elements of determinant -1 by D(g) = parity D^l(-g). In the plane the basis is
    (cos k t, sin k t); the parity matters only for degree 0, where reflections multiply by it.

    Args:
        group: a closed subgroup of O(2) or O(3).
        degree: l in space, the frequency k in the plane.
        parity: 1 or -1.
    """

    group: Symmetry
    degree: int
    parity: int

    @property
    def dim(self) -> int:
        if self.group.dim == 3:
            return 2 * self.degree + 1
        return 1 if self.degree == 0 else 2

    def matrices(self, elements: Array) -> Array:
        sign = np.where(np.linalg.det(elements) < 0, -1.0, 1.0)
        if self.group.dim == 2:
            twist = sign if self.degree == 0 and self.parity < 0 else np.ones_like(sign)
            return _circular(self.degree, elements, sign) * twist[:, None, None]
        rotations = elements * sign[:, None, None]
        return wigner(self.degree, rotations) * np.where(sign < 0, self.parity, 1.0)[:, None, None]


@dataclass(frozen=True)
class Restricted:
    """The restriction of a representation to a subgroup: the same matrices for fewer elements."""

    group: Symmetry
    whole: Representation

    @property
    def dim(self) -> int:
        return self.whole.dim

    def matrices(self, elements: Array) -> Array:
        return self.whole.matrices(elements)


@dataclass(frozen=True)
class Product:
    """The tensor product of two representations.

    It is row-major: components i of `left` and j of `right` have index i * right.dim + j.
    """

    left: Representation
    right: Representation

    @property
    def group(self) -> Symmetry:
        return self.left.group

    @property
    def dim(self) -> int:
        return self.left.dim * self.right.dim

    def matrices(self, elements: Array) -> Array:
        left, right = self.left.matrices(elements), self.right.matrices(elements)
        return np.einsum("gij,gkl->gikjl", left, right).reshape(len(elements), self.dim, self.dim)


def wigner(degree: int, rotations: Array) -> Array:
    """Real Wigner matrices D^l(R), with Y_l(R x) = D^l(R) Y_l(x) in e3nn's basis.

    D^l is the component of degree l of D^(l-1) (x) D^1, and so a polynomial in the entries of R. No
    angles are computed, so no precision is lost near the poles.

    Args:
        degree: l.
        rotations: R (element, 3, 3).

    Returns:
        (element, 2l + 1, 2l + 1).
    """
    if degree == 0:
        return np.ones((len(rotations), 1, 1))
    result = vector = rotations
    for l in range(2, degree + 1):
        c = stretched(l)
        half = np.einsum("gij,jbn->gibn", result, c)
        half = np.einsum("gab,gibn->gian", vector, half)
        result = np.einsum("iam,gian->gmn", c, half)
    return result


@cache
def stretched(degree: int) -> Array:
    """The isometry (2l - 1, 3, 2l + 1) from degree l into the product of degrees l - 1 and 1.

    It is given in the real basis, up to a sign. The Clebsch-Gordan coefficients
    <l-1 m-s; 1 s | l m> have a closed form: they are square roots of rational numbers.
    """
    l = degree
    table = np.zeros((2 * l - 1, 3, 2 * l + 1))
    for m in range(-l, l + 1):
        squares = {
            -1: (l - m - 1) * (l - m) / ((2 * l - 1) * 2 * l),
            0: (l - m) * (l + m) / ((2 * l - 1) * l),
            1: (l + m - 1) * (l + m) / ((2 * l - 1) * 2 * l),
        }
        for s, square in squares.items():
            if abs(m - s) < l:
                table[m - s + l - 1, s + 1, m + l] = np.sqrt(square)
    # Change all three axes from the complex to the real basis.
    half = np.einsum("xyz,xa->ayz", table, _complex_from_real(l - 1))
    half = np.einsum("ayz,yb->abz", half, _complex_from_real(1))
    return np.ascontiguousarray(np.einsum("abz,zc->abc", half, _complex_from_real(l).conj()).real)


def _complex_from_real(degree: int) -> NDArray[np.complex128]:
    """The matrix of complex harmonics (rows, m from -l to l) in terms of e3nn's real ones.

    The phase (-i)^l makes the 3j symbols real.
    """
    l = degree
    matrix = np.zeros((2 * l + 1, 2 * l + 1), dtype=np.complex128)
    matrix[l, l] = 1
    for m in range(1, l + 1):
        matrix[l - m, [l + m, l - m]] = np.array([1, -1j]) / np.sqrt(2)
        matrix[l + m, [l + m, l - m]] = (-1) ** m * np.array([1, 1j]) / np.sqrt(2)
    return (-1j) ** l * matrix


@cache
def three_j(left: int, right: int, out: int) -> Array:
    """The real 3j symbol (2 left + 1, 2 right + 1, 2 out + 1), of Frobenius norm 1, float64.

    It is e3nn's up to its sign.
    """
    from ..functions import real_coupling

    symbol = real_coupling(left, right, out).numpy()
    return np.ascontiguousarray(symbol / np.linalg.norm(symbol))


def _circular(frequency: int, elements: Array, sign: Array) -> Array:
    if frequency == 0:
        return np.ones((len(elements), 1, 1))
    angle = frequency * np.arctan2(elements[:, 1, 0], elements[:, 0, 0])
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([np.stack([c, -s * sign], -1), np.stack([s, c * sign], -1)], -2)
