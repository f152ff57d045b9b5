"""Differential operators with constant coefficients between two fields, given by symbols."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
from torch import Tensor

from ..field import FieldMismatchError
from ..functions import exponents
from ..groups import Group, GroupError
from .field_types import FieldType, matrices, restrict
from .polynomial import Array, MatrixPolynomial


@dataclass(frozen=True, eq=False)
class Symbol:
    """The polynomial P of an operator D = P(d) = sum over a of C[a] d^a, d^a = d_x^a1 d_y^a2 ...

    D commutes with translations. It commutes with the group if P is steerable:
    P(g xi) = rho_out(g) P(xi) rho_in(g)^-1 for every g. `D @ E` is the operator that applies E and
    then D, and `D.adjoint()` is the operator with <D f, h> = <f, D* h>.

        >>> print(gradient(2) @ divergence(2))
        [   d_x^2  d_x d_y ]
        [ d_x d_y    d_y^2 ]

    Args:
        field_in: type of the fields that D acts on: a Field, or a Representation.
        field_out: type of the fields that D returns, of the same group.
        parts: for every order n the coefficients C (monomial, out, in), in the monomials of
            `functions.polynomials.exponents(d, n)`; a missing order is zero.

    Raises:
        FieldMismatchError: the fields belong to different groups.
        ValueError: the coefficients do not fit.

    Source: Jenner & Weiler 2022, arXiv:2106.10163.
    """

    field_in: FieldType
    field_out: FieldType
    parts: Mapping[int, Array]

    __array_ufunc__ = None  # so that a NumPy number times a symbol calls Symbol.__rmul__

    def __post_init__(self) -> None:
        if self.field_in.group != self.field_out.group:
            raise FieldMismatchError(
                f"An operator needs fields of one group; got {self.field_in} of "
                f"{self.field_in.group} and {self.field_out} of {self.field_out.group}. Restrict "
                "the larger group's field first."
            )
        object.__setattr__(self, "parts", self.polynomial.parts)

    @classmethod
    def from_coefficients(
        cls, field_in: FieldType, field_out: FieldType, coefficients: Array
    ) -> Symbol:
        """Create an operator from the coefficients of all monomials up to some order.

        Args:
            field_in: type of the fields that the operator acts on.
            field_out: type of the fields that it returns.
            coefficients: (monomial, out, in), sorted by order.

        Raises:
            ValueError: the number of monomials does not belong to any order.
        """
        parts, start, order = {}, 0, 0
        while start < len(coefficients):
            size = len(exponents(field_in.group.dim, order))
            parts[order] = coefficients[start : start + size]
            start, order = start + size, order + 1
        if start != len(coefficients):
            raise ValueError(
                f"Orders 0 to {order - 1} of operators in {field_in.group.dim} variables have "
                f"{start} monomials; got coefficients of {len(coefficients)}."
            )
        return cls(field_in, field_out, parts)

    @cached_property
    def polynomial(self) -> MatrixPolynomial:
        """The polynomial P without the types of the fields."""
        return MatrixPolynomial(self.group.dim, (self.field_out.dim, self.field_in.dim), self.parts)

    @property
    def group(self) -> Group:
        """The group of both fields."""
        return cast(Group, self.field_in.group)

    @property
    def order(self) -> int:
        """The highest order of a derivative."""
        return max(self.parts, default=0)

    def coefficients(self) -> Array:
        """The coefficients C (monomial, out, in) of orders 0 to `order`, sorted by order."""
        sizes = [len(exponents(self.group.dim, n)) for n in range(self.order + 1)]
        empty = [np.zeros((size, *self.polynomial.shape)) for size in sizes]
        return np.concatenate([self.parts.get(n, zero) for n, zero in enumerate(empty)])

    def evaluate(self, xi: Tensor) -> Tensor:
        """The matrices P(xi) (..., out, in) at xi (..., d), in its dtype; differentiable.

        A plane wave is multiplied by the symbol: D exp(i k x) = P(i k) exp(i k x).
        """
        return self.polynomial.evaluate(xi)

    def __add__(self, other: Symbol) -> Symbol:
        if (self.field_in, self.field_out) != (other.field_in, other.field_out):
            raise FieldMismatchError(
                f"A sum needs operators between the same fields; got {self!r} and {other!r}."
            )
        return self._with(self.polynomial + other.polynomial)

    def __neg__(self) -> Symbol:
        return self * -1.0

    def __sub__(self, other: Symbol) -> Symbol:
        return self + -other

    def __mul__(self, factor: float) -> Symbol:
        return self._with(self.polynomial * float(factor))

    __rmul__ = __mul__

    def __matmul__(self, other: Symbol) -> Symbol:
        if self.field_in != other.field_out:
            raise FieldMismatchError(
                f"{self!r} cannot follow {other!r}: the fields between them differ."
            )
        return Symbol(other.field_in, self.field_out, (self.polynomial @ other.polynomial).parts)

    def adjoint(self) -> Symbol:
        """The operator D* = P(-d)^t from `field_out` to `field_in`."""
        return Symbol(self.field_out, self.field_in, self.polynomial.adjoint().parts)

    def times_laplacian(self, power: int = 1) -> Symbol:
        """D applied to the result of `power` Laplacians: |xi|^(2 power) P."""
        if power < 0:
            raise ValueError(f"A Laplacian is applied 0 or more times; got {power}.")
        return self._with(self.polynomial.times_square(power))

    def restrict(self, subgroup: Group) -> Symbol:
        """The same operator between the fields restricted to a subgroup.

        Raises:
            GroupError: `subgroup` is not a subgroup of the group of the fields.
        """
        if not subgroup.subgroup_of(self.group):
            raise GroupError(
                f"{subgroup} is not a subgroup of {self.group}; restrict to one that is."
            )
        field_in, change_in = restrict(self.field_in, subgroup)
        field_out, change_out = restrict(self.field_out, subgroup)
        return Symbol(field_in, field_out, self.polynomial.between(change_out, change_in.T).parts)

    def inner(self, other: Symbol) -> float:
        """The Fischer inner product, the sum over a of a! <C[a], C'[a]>.

        The elements of a `symbol_basis` are orthonormal with respect to it.
        """
        return self.polynomial.inner(other.polynomial)

    def norm(self) -> float:
        """The norm of the Fischer inner product."""
        return self.inner(self) ** 0.5

    def steering_error(self, elements: Array | None = None) -> float:
        """The largest relative error |P(g xi) - rho_out(g) P(xi) rho_in(g)^-1| / |P|.

        Args:
            elements: group elements g (element, d, d) to take the maximum over; by default the
                generators of the group.
        """
        elements = self.group.generators if elements is None else elements
        scale = self.norm() or 1.0
        errors = [0.0]
        for g, before, after in zip(
            elements,
            matrices(self.field_in, elements),
            matrices(self.field_out, elements),
            strict=True,
        ):
            error = self.polynomial.substitute(g) + self.polynomial.between(after, before.T) * -1.0
            errors.append(error.inner(error) ** 0.5 / scale)
        return max(errors)

    def is_steerable(self, tolerance: float = 1e-10) -> bool:
        """Whether D commutes with the group."""
        return self.steering_error() <= tolerance

    def _with(self, polynomial: MatrixPolynomial) -> Symbol:
        return Symbol(self.field_in, self.field_out, polynomial.parts)

    def __str__(self) -> str:
        return str(self.polynomial)

    def __repr__(self) -> str:
        return f"Symbol({self.field_in} -> {self.field_out}, {self.group}, order {self.order})"
