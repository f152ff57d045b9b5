"""Feature fields on homogeneous spaces G / H: which irreps of G they hold, and how."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from .closure import Array, GroupError, Symmetry
from .cosets import coset_quadrature
from .group import Group
from .intertwiners import intertwiners
from .permutations.permutations import MAX_SIZE
from .representation import Representation, Restricted


@dataclass(frozen=True)
class Trivial:
    """The representation in which every element of a group acts as 1."""

    group: Symmetry

    @property
    def dim(self) -> int:
        return 1

    def matrices(self, elements: Array) -> Array:
        return np.ones((len(elements), 1, 1))


@dataclass(frozen=True)
class HomSpace:
    """Fields on G / H of a type sigma, a representation of H.

    They are functions f: G -> V_sigma with f(g h) = sigma(h)^-1 f(g).

    G acts by (u f)(g) = f(u^-1 g): the representation that sigma induces. For every irrep rho of G
    there are matrices B_m, orthonormal, with rho(h) B_m = B_m sigma(h), and

        f(g) = sum over rho, m of sqrt(dim rho) B_m^T rho(g)^T F_(rho,m).

    The coefficients F_(rho,m) of f are vectors of rho, as features of any layer: a field with m_rho
    copies of rho. The mean of |f|^2 over G is the sum of |F|^2. By Frobenius reciprocity m_rho =
    dim Hom_H(sigma, rho) / type(rho); for numbers (sigma trivial) it counts the vectors that H
    leaves, up to those that commuting maps of rho make.

    On the sphere, SO(3) / axial("Cinf", (0, 1, 0)), and on the rotations, SO(3) / trivial(), these
    are the coefficients of `SphereTransform` and `RotationTransform`, number for number.

    Args:
        group: G, a closed subgroup of O(2) or O(3), or a symmetric group.
        subgroup: H.
        sigma: an orthogonal representation of H; by default trivial, for fields of numbers.
        max_degree: highest degree of irreps, as in `group.irreps`. Needed for infinite groups;
            others hold all irreps by default.

    Raises:
        GroupError: H is no subgroup of G, sigma belongs to another group, no highest degree where
            there are too many irreps, or one below which no irrep occurs in the field.

    Source: Kondor, Trivedi 2018, arXiv:1802.03690; Cohen, Geiger, Weiler 2019, arXiv:1811.02017.
    """

    group: Any
    subgroup: Any
    sigma: Any = None
    max_degree: int | None = None

    def __post_init__(self) -> None:
        if not self.subgroup.subgroup_of(self.group):
            raise GroupError(
                f"{self.subgroup} is no subgroup of {self.group}; fields live on G / H with H "
                "inside G."
            )
        if self.sigma is None:
            object.__setattr__(self, "sigma", Trivial(self.subgroup))
        if self.sigma.group != self.subgroup:
            raise GroupError(
                f"A field on {self.group} / {self.subgroup} has a representation of "
                f"{self.subgroup} as its type; got one of {self.sigma.group}. Restrict it first: "
                "Restricted(subgroup, representation)."
            )
        if self.max_degree is None and (self.group.order is None or self.group.order > MAX_SIZE):
            raise GroupError(f"{self.group} has too many irreps to take all: give max_degree.")
        if not self.isometries:
            raise GroupError(
                f"No irrep of {self.group} up to degree {self.max_degree} occurs in fields on "
                f"{self.group} / {self.subgroup} of this type. Raise max_degree."
            )

    @cached_property
    def isometries(self) -> dict[Any, Array]:
        """For every irrep of G that occurs the matrices B (dim rho, m_rho, dim sigma).

        They are orthonormal over m_rho.
        """
        degree = self.group.order if self.max_degree is None else self.max_degree
        found = {irrep: _generators(irrep, self.sigma) for irrep in self.group.irreps(degree)}
        return {irrep: matrices for irrep, matrices in found.items() if matrices.shape[1]}

    @property
    def multiplicities(self) -> dict[str, int]:
        """How often every irrep that occurs does, by name."""
        return {irrep.name: matrices.shape[1] for irrep, matrices in self.isometries.items()}

    @property
    def size(self) -> int:
        """The number of coefficients of one field."""
        return sum(matrices.shape[0] * matrices.shape[1] for matrices in self.isometries.values())

    @property
    def is_scalar(self) -> bool:
        """Whether the fields are numbers, functions on G / H."""
        return self.sigma.dim == 1 and bool(
            (np.abs(self.sigma.matrices(self.subgroup.generators) - 1) < 1e-9).all()
        )

    def functions(self, elements: Array) -> Array:
        """The values at elements of G of the fields with a single coefficient 1.

        Args:
            elements: (element, d, d).

        Returns:
            (size, element, dim sigma), coefficients irrep by irrep, copy by copy, component by
            component.
        """
        parts = [np.zeros((0, len(elements), self.sigma.dim))]
        for irrep, matrices in self.isometries.items():
            values = np.einsum("gab,bms->mags", irrep.matrices(elements), matrices, optimize=True)
            parts.append(np.sqrt(irrep.dim) * values.reshape(-1, len(elements), self.sigma.dim))
        return np.concatenate(parts)

    def check(self, elements: ArrayLike | Tensor) -> Array:
        """Elements of G as an array (element, d, d).

        Raises:
            GroupError: matrices of another shape, or that are no elements of G.
        """
        given = (
            elements.detach().cpu().numpy()
            if isinstance(elements, Tensor)
            else np.asarray(elements)
        )
        dim = self.group.dim
        if given.ndim != 3 or given.shape[1:] != (dim, dim):
            raise GroupError(
                f"Elements of {self.group} are matrices (element, {dim}, {dim}); got {given.shape}."
            )
        if not isinstance(self.group, Group):
            self.group.own(given)
        elif not all(self.group.contains(g) for g in given):
            raise GroupError(
                f"Not every matrix is an element of {self.group}, on whose cosets the fields live."
            )
        return given.astype(np.float64)

    def points(self, degree: int | None = None) -> tuple[Array, Array]:
        """Points of G / H as elements of G, and weights that give the mean over G / H.

        The points are (point, d, d), the weights (point,).

        One of every coset, of equal weights, if G is finite; else a grid that carries the irreps up
        to `degree`, by default those of the field: means of products of two such fields are exact.
        """
        wanted = self.max_degree if degree is None else degree
        return coset_quadrature(self.group, self.subgroup, 0 if wanted is None else wanted)

    def __repr__(self) -> str:
        kind = "" if self.is_scalar else f", type of dimension {self.sigma.dim}"
        band = "" if self.max_degree is None else f", degrees up to {self.max_degree}"
        return f"{self.group} / {self.subgroup}{kind}{band}"


def kernel_functions(
    space_in: HomSpace, space_out: HomSpace, elements: Array
) -> Iterator[tuple[Any, Array]]:
    """A basis of the kernels that take fields on G / H to fields on G / K, at elements of G.

    Every linear map that commutes with G is y(g) = mean over u in G of kappa(u) f(g u), with a
    kernel that obeys kappa(k u h) = sigma_out(k) kappa(u) sigma_in(h), and is by the theorem of
    Peter and Weyl a sum of

        dim(rho) w_(t,n,m) B_out,n^T E_t rho(u) B_in,m,

    where the E_t (E_t^T E_t = 1) span the maps that commute with rho. In coefficients it is y_n =
    sum of w E_t F_m.

    Args:
        space_in: fields on G / H.
        space_out: fields on G / K.
        elements: (element, d, d).

    Yields:
        Every irrep that both hold, in the order of `space_out`, with B_out^T E rho B_in
        (element, t, n, m, dim sigma_out, dim sigma_in).
    """
    for irrep, after in space_out.isometries.items():
        if irrep in space_in.isometries:
            commuting = irrep.endomorphisms() * np.sqrt(irrep.dim)
            turned = np.einsum(
                "gab,bmi->gami", irrep.matrices(elements), space_in.isometries[irrep]
            )
            left = np.einsum("ano,tab->tnob", after, commuting)
            yield irrep, np.einsum("tnob,gbmi->gtnmoi", left, turned, optimize=True)


def _generators(irrep: Any, sigma: Representation) -> Array:
    """Matrices B (dim rho, m, dim sigma) of Hom_H(sigma, rho).

    They are such that all E B, E commuting with rho, are a basis.
    """
    commuting = irrep.endomorphisms() * np.sqrt(irrep.dim)
    chosen: list[Array] = []
    spanned = np.zeros((0, irrep.dim, sigma.dim))
    for candidate in intertwiners(sigma, Restricted(sigma.group, irrep)):
        rest = candidate
        for _ in range(2):
            rest = rest - np.einsum("k,kas->as", np.einsum("kas,as->k", spanned, rest), spanned)
        length = np.sqrt((rest**2).sum())
        if length > 1e-6:
            chosen.append(rest / length)
            spanned = np.concatenate([spanned, commuting @ chosen[-1]])
    return np.stack(chosen, 1) if chosen else np.zeros((irrep.dim, 0, sigma.dim))
