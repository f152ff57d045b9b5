"""Feature fields on homogeneous spaces G / H and the irreps of G that they contain."""

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
from .labels import group_label
from .permutations.permutations import MAX_SIZE
from .representation import Representation, Restricted


@dataclass(frozen=True)
class Trivial:
    """The one-dimensional representation in which every element acts as 1."""

    group: Symmetry

    @property
    def dim(self) -> int:
        return 1

    def matrices(self, elements: Array) -> Array:
        return np.ones((len(elements), 1, 1))


@dataclass(frozen=True)
class HomSpace:
    """Feature fields on G / H of type sigma, a representation of H.

    A field is a function f: G -> V_sigma with f(g h) = sigma(h)^-1 f(g). G acts on it by
    (u f)(g) = f(u^-1 g), the representation induced by sigma. For every irrep rho of G there are
    orthonormal matrices B_m with rho(h) B_m = B_m sigma(h), and

        f(g) = sum over rho, m of sqrt(dim rho) B_m^T rho(g)^T F_(rho,m).

    The coefficients F_(rho,m) of f transform by rho, like the features of any layer: a field with
    m_rho copies of rho. The mean of |f|^2 over G is the sum of |F|^2. By Frobenius reciprocity
    m_rho = dim Hom_H(sigma, rho) / type(rho). For scalar fields (sigma trivial) this counts the
    vectors of rho that H fixes, up to the linear maps that commute with rho.

    On the sphere, SO(3) / axial("Cinf", (0, 1, 0)), and on the rotations, SO(3) / trivial(), the
    coefficients equal those of `SphereTransform` and `RotationTransform`.

    Args:
        group: G, a closed subgroup of O(2) or O(3), or a symmetric group.
        subgroup: H.
        sigma: an orthogonal representation of H; trivial by default, for scalar fields.
        max_degree: highest degree of the irreps, as in `group.irreps`. Required for infinite
            groups; all irreps by default for others.

    Raises:
        GroupError: H is not a subgroup of G, sigma belongs to another group, `max_degree` is
            missing although there are too many irreps, or no irrep up to it occurs in the field.

    Source: Kondor, Trivedi 2018, arXiv:1802.03690; Cohen, Geiger, Weiler 2019, arXiv:1811.02017.
    """

    group: Any
    subgroup: Any
    sigma: Any = None
    max_degree: int | None = None

    def __post_init__(self) -> None:
        if not self.subgroup.subgroup_of(self.group):
            raise GroupError(
                f"{self.subgroup} is no subgroup of {self.group}; fields on G / H need a subgroup "
                "H of G."
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
        """The orthonormal matrices B (dim rho, m_rho, dim sigma) of every irrep that occurs."""
        degree = self.group.order if self.max_degree is None else self.max_degree
        bases = {irrep: _generators(irrep, self.sigma) for irrep in self.group.irreps(degree)}
        return {irrep: matrices for irrep, matrices in bases.items() if matrices.shape[1]}

    @property
    def multiplicities(self) -> dict[str, int]:
        """The multiplicity of every irrep that occurs, by name."""
        return {irrep.name: matrices.shape[1] for irrep, matrices in self.isometries.items()}

    @property
    def size(self) -> int:
        """The number of coefficients of one field."""
        return sum(matrices.shape[0] * matrices.shape[1] for matrices in self.isometries.values())

    @property
    def is_scalar(self) -> bool:
        """Whether the fields are scalar: functions on G / H."""
        return self.sigma.dim == 1 and bool(
            (np.abs(self.sigma.matrices(self.subgroup.generators) - 1) < 1e-9).all()
        )

    def functions(self, elements: Array) -> Array:
        """The basis functions: values of the fields that have a single coefficient 1.

        Args:
            elements: elements of G (element, d, d).

        Returns:
            (size, element, dim sigma); coefficients are ordered by irrep, copy and component.
        """
        parts = [np.zeros((0, len(elements), self.sigma.dim))]
        for irrep, matrices in self.isometries.items():
            values = np.einsum("gab,bms->mags", irrep.matrices(elements), matrices, optimize=True)
            parts.append(np.sqrt(irrep.dim) * values.reshape(-1, len(elements), self.sigma.dim))
        return np.concatenate(parts)

    def check(self, elements: ArrayLike | Tensor) -> Array:
        """Elements of G as an array (element, d, d).

        Raises:
            GroupError: the shape does not fit, or a matrix is not an element of G.
        """
        matrices = (
            elements.detach().cpu().numpy()
            if isinstance(elements, Tensor)
            else np.asarray(elements)
        )
        dim = self.group.dim
        if matrices.ndim != 3 or matrices.shape[1:] != (dim, dim):
            raise GroupError(
                f"Elements of {self.group} are matrices (element, {dim}, {dim}); got "
                f"{matrices.shape}."
            )
        if not isinstance(self.group, Group):
            self.group.own(matrices)
        elif not all(self.group.contains(g) for g in matrices):
            raise GroupError(
                f"Not every matrix is an element of {self.group}, on whose cosets the fields live."
            )
        return matrices.astype(np.float64)

    def points(self, degree: int | None = None) -> tuple[Array, Array]:
        """Points of G / H as elements of G, and weights that compute the mean over G / H.

        For a finite group these are one element of every coset, with equal weights. Otherwise they
        are a grid on which means of products of two fields with irreps up to `degree` are exact.

        Args:
            degree: highest degree of the irreps; by default `max_degree`.

        Returns:
            Points (point, d, d) and weights (point,) of sum 1.
        """
        highest = self.max_degree if degree is None else degree
        return coset_quadrature(self.group, self.subgroup, 0 if highest is None else highest)

    def __repr__(self) -> str:
        return self._text(f"{self.group} / {self.subgroup}")

    @property
    def label(self) -> str:
        """As `repr`, with labels that tell groups of one name apart."""
        return self._text(f"{group_label(self.group)} / {group_label(self.subgroup)}")

    def _text(self, groups: str) -> str:
        kind = "" if self.is_scalar else f", type of dimension {self.sigma.dim}"
        band = "" if self.max_degree is None else f", degrees up to {self.max_degree}"
        return f"{groups}{kind}{band}"


def kernel_functions(
    space_in: HomSpace, space_out: HomSpace, elements: Array
) -> Iterator[tuple[Any, Array]]:
    """A basis of the equivariant kernels from fields on G / H to fields on G / K.

    Every linear map that commutes with G is y(g) = mean over u in G of kappa(u) f(g u) with a
    kernel that satisfies kappa(k u h) = sigma_out(k) kappa(u) sigma_in(h). By the Peter-Weyl
    theorem the kernel is a sum of

        dim(rho) w_(t,n,m) B_out,n^T E_t rho(u) B_in,m,

    where the E_t (E_t^T E_t = 1) span the maps that commute with rho. On coefficients the map is
    y_n = sum of w E_t F_m.

    Args:
        space_in: fields on G / H.
        space_out: fields on G / K.
        elements: elements of G (element, d, d) to evaluate the kernels at.

    Yields:
        Every irrep that occurs in both spaces, in the order of `space_out`, with
        B_out^T E rho B_in (element, t, n, m, dim sigma_out, dim sigma_in).
    """
    for irrep, after in space_out.isometries.items():
        if irrep in space_in.isometries:
            commuting = irrep.endomorphisms() * np.sqrt(irrep.dim)
            right = np.einsum("gab,bmi->gami", irrep.matrices(elements), space_in.isometries[irrep])
            left = np.einsum("ano,tab->tnob", after, commuting)
            yield irrep, np.einsum("tnob,gbmi->gtnmoi", left, right, optimize=True)


def _generators(irrep: Any, sigma: Representation) -> Array:
    """Matrices B (dim rho, m, dim sigma) that generate Hom_H(sigma, rho).

    The products E B with all E that commute with rho are a basis of it.
    """
    commuting = irrep.endomorphisms() * np.sqrt(irrep.dim)
    generators: list[Array] = []
    span = np.zeros((0, irrep.dim, sigma.dim))
    for candidate in intertwiners(sigma, Restricted(sigma.group, irrep)):
        rest = candidate
        for _ in range(2):  # the second pass removes what rounding left behind
            overlaps = np.einsum("kas,as->k", span, rest)
            rest = rest - np.einsum("k,kas->as", overlaps, span)
        length = np.sqrt((rest**2).sum())
        if length > 1e-6:
            generators.append(rest / length)
            span = np.concatenate([span, commuting @ generators[-1]])
    return np.stack(generators, 1) if generators else np.zeros((irrep.dim, 0, sigma.dim))
