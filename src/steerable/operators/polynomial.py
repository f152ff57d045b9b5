"""Polynomials of several variables whose coefficients are matrices."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..functions import exponents, factorials, monomials

Array = NDArray[np.float64]

_NEGLIGIBLE = 1e-12  # relative to the largest coefficient; smaller ones are not printed


@dataclass(frozen=True, eq=False)
class MatrixPolynomial:
    """P(x) = sum over orders n and monomials x^a of degree n of C_n[a] x^a with matrices C_n[a].

    Args:
        variables: the number d of variables.
        shape: the shape (out, in) of the matrices.
        parts: for every order n the coefficients (monomial, out, in), in the monomials of
            `functions.polynomials.exponents(d, n)`; a missing order is zero.

    Raises:
        ValueError: there are more than 3 variables, an order is negative, or coefficients are not
            finite or have another shape.
    """

    variables: int
    shape: tuple[int, int]
    parts: Mapping[int, Array]

    def __post_init__(self) -> None:
        if not 1 <= self.variables <= 3:
            raise ValueError(f"A polynomial has 1 to 3 variables; got {self.variables}.")
        parts = {
            n: np.array(self.parts[n], dtype=np.float64, order="C") for n in sorted(self.parts)
        }
        for n, part in parts.items():
            expected = (len(exponents(self.variables, n)), *self.shape)
            if part.shape != expected:
                raise ValueError(
                    f"Order {n} of a polynomial in {self.variables} variables has coefficients "
                    f"(monomial, out, in) = {expected}; got {part.shape}."
                )
            if not np.isfinite(part).all():
                raise ValueError(f"Coefficients are finite numbers; those of order {n} are not.")
        object.__setattr__(self, "parts", parts)

    def __add__(self, other: MatrixPolynomial) -> MatrixPolynomial:
        if (self.variables, self.shape) != (other.variables, other.shape):
            raise ValueError(f"A sum needs polynomials of one kind; got {self!r} and {other!r}.")
        parts = dict(self.parts)
        for n, part in other.parts.items():
            parts[n] = parts[n] + part if n in parts else part
        return MatrixPolynomial(self.variables, self.shape, parts)

    def __mul__(self, factor: float) -> MatrixPolynomial:
        return MatrixPolynomial(
            self.variables, self.shape, {n: factor * part for n, part in self.parts.items()}
        )

    def __matmul__(self, other: MatrixPolynomial) -> MatrixPolynomial:
        """The product of matrices P(x) Q(x)."""
        if self.variables != other.variables or self.shape[1] != other.shape[0]:
            raise ValueError(
                f"A product needs polynomials whose matrices follow each other; got {self!r} and "
                f"{other!r}."
            )
        parts: dict[int, Array] = {}
        for n, left in self.parts.items():
            for m, right in other.parts.items():
                size = len(exponents(self.variables, n + m))
                empty = np.zeros((size, self.shape[0], other.shape[1]))
                # Several pairs of monomials have the same product: np.add.at adds them all.
                place = places(self.variables, n, m)
                np.add.at(parts.setdefault(n + m, empty), place, left[:, None] @ right)
        return MatrixPolynomial(self.variables, (self.shape[0], other.shape[1]), parts)

    def between(self, left: Array, right: Array) -> MatrixPolynomial:
        """L P(x) R for matrices L (any, out) and R (in, any)."""
        parts = {n: left @ part @ right for n, part in self.parts.items()}
        return MatrixPolynomial(self.variables, (left.shape[0], right.shape[1]), parts)

    def adjoint(self) -> MatrixPolynomial:
        """P(-x)^t."""
        parts = {n: (-1.0) ** n * part.transpose(0, 2, 1) for n, part in self.parts.items()}
        return MatrixPolynomial(self.variables, self.shape[::-1], parts)

    def substitute(self, matrix: Array) -> MatrixPolynomial:
        """P(g x) for a matrix g (d, d)."""
        if matrix.shape != (self.variables, self.variables):
            raise ValueError(f"{self!r} needs a matrix of its variables; got shape {matrix.shape}.")
        parts = {
            n: np.tensordot(monomial_map(matrix, n).T, part, 1) for n, part in self.parts.items()
        }
        return MatrixPolynomial(self.variables, self.shape, parts)

    def times_square(self, power: int) -> MatrixPolynomial:
        """|x|^(2 k) P(x)."""
        squares = (exponents(self.variables, 2).max(1) == 2)[:, None, None]
        square = MatrixPolynomial(
            self.variables, (self.shape[0],) * 2, {2: squares * np.eye(self.shape[0])}
        )
        result = self
        for _ in range(power):
            result = square @ result
        return result

    def inner(self, other: MatrixPolynomial) -> float:
        """The Fischer inner product, the sum over a of a! <C[a], D[a]>.

        Substituting an orthogonal matrix does not change it.
        """
        shared = self.parts.keys() & other.parts.keys()
        weights = {n: factorials(exponents(self.variables, n))[:, None, None] for n in shared}
        return float(
            sum((weights[n] * self.parts[n] * other.parts[n]).sum() for n in sorted(shared))
        )

    def evaluate(self, x: Tensor) -> Tensor:
        """The matrices (..., out, in) at real or complex points (..., d), in their dtype."""
        if (
            x.dim() == 0
            or x.shape[-1] != self.variables
            or not (x.is_floating_point() or x.is_complex())
        ):
            raise ValueError(
                f"{self!r} is evaluated at real or complex points (..., {self.variables}); got "
                f"{tuple(x.shape)} of {x.dtype}."
            )
        value = x.new_zeros(*x.shape[:-1], *self.shape)
        for n, part in self.parts.items():
            powers = monomials(x, exponents(self.variables, n))
            value = value + torch.tensordot(powers, torch.from_numpy(part).to(x), 1)
        return value

    def __str__(self) -> str:
        """Such as `2 d_x^2 - d_y^2`, with derivatives as variables; matrices row by row."""
        rows, columns = self.shape
        table = [self._row(i) for i in range(rows)]
        if self.shape == (1, 1):
            return table[0][0]
        for j in range(columns):
            width = max((len(row[j]) for row in table), default=0)
            for row in table:
                row[j] = row[j].rjust(width)
        return "\n".join(f"[ {'  '.join(row)} ]" for row in table)

    def __repr__(self) -> str:
        orders = ", ".join(map(str, self.parts)) or "none"
        return (
            f"MatrixPolynomial({self.variables} variables, {self.shape[0]} x {self.shape[1]}, "
            f"orders {orders})"
        )

    def _row(self, i: int) -> list[str]:
        largest = max((np.abs(part).max(initial=0) for part in self.parts.values()), default=0)
        return [self._entry(i, j, _NEGLIGIBLE * largest) for j in range(self.shape[1])]

    def _entry(self, i: int, j: int, negligible: float) -> str:
        terms = []
        for n, part in sorted(self.parts.items(), reverse=True):
            for c, name in zip(part[:, i, j], _names(self.variables, n), strict=True):
                if abs(c) > negligible:
                    terms.append(f"{'-' if c < 0 else '+'} {_term(abs(float(c)), name)}")
        text = " ".join(terms) or "+ 0"
        return text[2:] if text[0] == "+" else f"-{text[2:]}"


@functools.lru_cache(maxsize=256)
def places(variables: int, left: int, right: int) -> NDArray[np.int64]:
    """The indices (a, b) of the products x^a x^b among the monomials of their degree.

    The monomials x^a have degree `left`, and x^b degree `right`.
    """
    index = {tuple(row): k for k, row in enumerate(exponents(variables, left + right).tolist())}
    sums = exponents(variables, left)[:, None] + exponents(variables, right)
    flat = [index[tuple(row)] for row in sums.reshape(-1, variables).tolist()]
    return np.array(flat).reshape(sums.shape[:2])


def monomial_map(matrix: Array, degree: int) -> Array:
    """S (monomial, monomial) with (g x)^a = sum over b of S[a, b] x^b, for a matrix g (d, d)."""
    variables = len(matrix)
    result = np.ones((1, 1))
    for n in range(1, degree + 1):
        times = places(variables, n - 1, 1)  # (b, k): the index of x^b x_k
        # Write x^a = x_first x^rest, so that (g x)^a is row `first` of g x times (g x)^rest.
        first = (exponents(variables, n) > 0).argmax(1)
        rest = (times[:, first] == np.arange(len(first))).argmax(0)
        product = np.zeros((len(first), len(first)))
        for k in range(variables):
            product[:, times[:, k]] += matrix[first, k, None] * result[rest]
        result = product
    return result


def _names(variables: int, degree: int) -> list[str]:
    return [_name(row) for row in exponents(variables, degree).tolist()]


def _name(powers: list[int]) -> str:
    """The name of a monomial, such as `d_x^2 d_y`."""
    factors = zip("xyz", powers, strict=False)
    return " ".join(f"d_{v}" if a == 1 else f"d_{v}^{a}" for v, a in factors if a)


def _term(size: float, name: str) -> str:
    return f"{size:.6g}" if not name else name if f"{size:.6g}" == "1" else f"{size:.6g} {name}"
