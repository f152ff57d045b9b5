"""Filters that are derivatives of the delta: with them a convolution is a differential operator."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..constants import ConstantModule
from ..field import Field, Term
from ..functions import Array, exponents_up_to, harmonic_polynomials
from ..groups import O3, Group, Harmonic, Irrep, decompose, group_label
from ..layers import Meaningful, MeasuredScale, function_text, robust_mean_square, unless
from ..operators import harmonic_couplings
from ..ops import grid_stencil
from .filter import Filter


class Part(NamedTuple):
    """The operators |d|^(n - j) Y_j(d) of one order n and one degree j.

    Args:
        order: n.
        degree: j.
        place: where their components are in a filter.
        isometry: from the components of H_j as irreps of the group to those of Y_j (harmonic,
            component).
    """

    order: int
    degree: int
    place: slice
    isometry: Array


class Derivatives:
    """All derivatives of orders 0 to N as operators that turn as harmonics.

    They are |d|^(n - j) Y_j(d), j = n, n - 2, ...

    By Fischer's decomposition they are a basis. Their parts H_j are reduced to irreps of the group.

    Args:
        order: N.
        group: a closed subgroup of O(2) or O(3).
        maximum_offset: for a finite group of the plane, how often the number of its rotations may
            be added to a frequency, see `operators.symbol_basis`; None, any number, alone is
            complete.

    Attributes:
        parts: in the order of n, then of falling j.
        field: the irreps of all parts.
        coefficients: of all components in the monomials of `exponents_up_to(d, N)`, (field.dim,
            monomial).

    Raises:
        ValueError: an order below 0.
    """

    def __init__(self, order: int, group: Group, maximum_offset: int | None = None) -> None:
        if order < 0:
            raise ValueError(f"The order of a derivative is 0 or more; got {order}.")
        self.order, self.maximum_offset = order, maximum_offset
        self.parts: list[Part] = []
        terms: list[Term] = []
        degrees = exponents_up_to(group.dim, order).sum(1)
        rows, start = [], 0
        for n in range(order + 1):
            for j, polynomials in harmonic_polynomials(group.dim, n):
                split = decompose(Harmonic(group, j, (-1) ** j if group.dim == 3 else 1))
                isometry = np.concatenate([q for _, q in split], 1)
                self.parts.append(Part(n, j, slice(start, start + len(isometry)), isometry))
                terms += [Term(1, irrep) for irrep, _ in split]
                rows.append(np.zeros((len(isometry), len(degrees))))
                rows[-1][:, degrees == n] = isometry.T @ polynomials
                start += len(isometry)
        self.field = Field(group, tuple(terms))
        self.coefficients = torch.from_numpy(np.concatenate(rows))

    @property
    def part_of(self) -> Tensor:
        """The number of the part that every component belongs to (field.dim,)."""
        return torch.repeat_interleave(torch.tensor([len(part.isometry) for part in self.parts]))

    def scale(self, components: Tensor) -> Tensor:
        """Factors (part,) that make the mean square of components 1.

        Components are (edge, field.dim); parts that are 0 stay 0.
        """
        square = components.detach().square().mean(0)
        power = torch.stack([square[part.place].mean() for part in self.parts])
        return torch.where(power > 0, power, 1.0).rsqrt()

    def power(self, components: Tensor) -> Tensor:
        """The mean squares (part,) of components (edge, field.dim), robust against single edges."""
        return torch.stack([robust_mean_square(components[:, part.place]) for part in self.parts])

    def products(self, irrep_in: Irrep, irrep_out: Irrep) -> Iterator[tuple[slice, Array]]:
        """The products with features that `maximum_offset` allows, as `layers.paths` takes them."""
        for part in self.parts:
            for tensor in harmonic_couplings(part.degree, irrep_in, irrep_out, self.maximum_offset):
                yield part.place, np.einsum("ohi,hk->oki", tensor, part.isometry)


class DerivativeFilter(Meaningful, MeasuredScale, ConstantModule):
    """h = s |d|^(n - j) Y_j(d) delta of orders n = 0 to N on points.

    The values are the weights of neighbours in derivatives.

    The weights come from outside, as attributes of the edges: `components` of `ops.cloud_stencil`.
    Every part begins with unit mean square over the edges: its factor s is measured on the first
    graph (see `layers.MeasuredScale`) and kept in `state_dict`, so that from then on the operator
    is one and the same for every cloud, however dense. A part that is 0 there, such as derivatives
    across a line of points, is measured on the first graph where it is not.

    Args:
        order: N.
        group: O(3) by default.
        maximum_offset: which frequencies a finite group of the plane may alias, see `Derivatives`.

    Raises:
        ValueError: an order below 0.

    Source: Jenner & Weiler 2022, arXiv:2106.10163.
    """

    _coefficients: Tensor
    _part_of: Tensor
    scale: Tensor

    def __init__(
        self, order: int, group: Group | None = None, maximum_offset: int | None = None
    ) -> None:
        super().__init__()
        self.basis = Derivatives(order, group or O3(), maximum_offset)
        self.field = self.attributes = self.basis.field
        self.channels = 1
        self.register_constant("_coefficients", self.basis.coefficients)
        self.register_constant("_part_of", self.basis.part_of)
        self.register_scale("scale", (len(self.basis.parts),), is_factor=True)

    @property
    def operators(self) -> Tensor:
        """The operators that the components are.

        Their shape is (field.dim, monomial of `exponents_up_to(d, order)`).
        """
        return self._coefficients * self.scale_factor()[self._part_of].unsqueeze(1)

    def components(self, stencil: Tensor) -> Tensor:
        """Weights of derivatives (edge, monomial) to attributes of edges (edge, field.dim).

        The weights are of order N or more.
        """
        monomials = self._coefficients.shape[1]
        if stencil.dim() != 2 or stencil.shape[1] < monomials:
            raise ValueError(
                f"Derivatives up to order {self.basis.order} take weights (edge, {monomials} "
                f"monomials or more); got {tuple(stencil.shape)}. Make the stencil of order "
                f"{self.basis.order}."
            )
        stencil = stencil[:, :monomials]
        if not self.is_measured():
            self._measure(stencil)
        return stencil @ self.operators.T

    def forward(self, offset: Tensor, attributes: Tensor | None = None) -> Tensor:
        """Attributes (edge, field.dim), made by `components`, to (edge, 1, field.dim)."""
        attributes = offset[:, :0] if attributes is None else attributes
        self.attributes.check(attributes, "DerivativeFilter", "attributes")
        return attributes.unsqueeze(1)

    @torch.no_grad()
    def _measure(self, stencil: Tensor) -> None:
        # In float64: weights of second derivatives in metres have squares of 1e44.
        weights, coefficients = stencil.double(), self._coefficients.double()
        size = (weights.square() @ coefficients.square().T).sqrt()
        self.measure(self.basis.power(weights @ coefficients.T), self.basis.power(size))

    def reset_parameters(self) -> None:
        """Measure the scales again."""
        self.forget_scale()

    def meaning(self) -> str:
        offset = self.basis.maximum_offset
        aliases = "" if offset is None else f", maximum_offset={offset}"
        group = group_label(self.field.group)
        return f"{self.field} of {group}, order={self.basis.order}{aliases}"


class StencilFilter(ConstantModule):
    """h = s |d|^(n - j) Y_j(d) delta of orders n = 0 to N on a grid.

    Its values are the weights of `ops.grid_stencil`.

    Every part has unit mean square over the stencil. At offsets off the grid, and beyond the
    stencil, h is 0.

    Args:
        order: N.
        size: points of the stencil along every axis, odd; the `kernel_size` of the convolution.
        method: how derivatives are found: a method of `ops.grid_stencil`, or a part of it such as
            `functools.partial(grid_stencil, method="gaussian", sigma=1.2)`.
        spacing: distance of neighbouring offsets.
        group: O(3) by default.
        maximum_offset: which frequencies a finite group of the plane may alias, see `Derivatives`.

    Raises:
        ValueError: an order that the stencil does not resolve, an even size, a method that does not
            exist.

    Source: Jenner & Weiler 2022, arXiv:2106.10163.
    """

    operators: Tensor
    _values: Tensor

    def __init__(
        self,
        order: int,
        size: int,
        method: str | Callable[[int, int, int], Tensor] = "least_squares",
        spacing: float = 1.0,
        group: Group | None = None,
        maximum_offset: int | None = None,
    ) -> None:
        super().__init__()
        if not 0 < spacing < math.inf:
            raise ValueError(f"The spacing of a grid is positive and finite; got {spacing}.")
        group = group or O3()
        self.size, self.spacing = size, spacing
        self.basis = Derivatives(order, group, maximum_offset)
        self.field, self.attributes, self.channels = self.basis.field, Field(group, ()), 1
        orders = torch.from_numpy(exponents_up_to(group.dim, order).sum(1))
        stencil = partial(grid_stencil, method=method) if isinstance(method, str) else method
        self._method = function_text(stencil)
        weights = stencil(group.dim, size, order) / (spacing**orders).unsqueeze(1)
        values = (self.basis.coefficients @ weights).T
        scale = self.basis.scale(values)[self.basis.part_of]
        self.register_constant("operators", self.basis.coefficients * scale.unsqueeze(1))
        self.register_constant("_values", (values * scale).unsqueeze(1))

    def values(self) -> Tensor:
        """The values at all offsets (offset, field.dim), the last coordinate fastest."""
        return self._values.squeeze(1)

    def on_grid(
        self,
        size: int,
        sample: Callable[[Filter, Tensor | None], Tensor],
        attributes: Tensor | None,
    ) -> Tensor:
        """The values at all offsets of a stencil of `size` points along every axis.

        See `filters.GridFilter`.
        """
        if size != self.size:
            raise ValueError(
                f"This StencilFilter has the weights of {self.size} points along every axis; the "
                f"convolution has kernel_size={size}. Give both the same."
            )
        return self._values.unsqueeze(0)

    def forward(self, offset: Tensor, attributes: Tensor | None = None) -> Tensor:
        """Relative positions (edge, d) to (edge, 1, field.dim)."""
        steps = offset / self.spacing + self.size // 2
        place = steps.round().long()
        near = ((steps - place).abs() < 1e-3) & (place >= 0) & (place < self.size)
        powers = self.size ** torch.arange(offset.shape[1] - 1, -1, -1, device=offset.device)
        inside = near.all(1)
        values = self._values.index_select(0, (place * powers).sum(1) * inside)
        return values * inside.to(values.dtype).view(-1, 1, 1)

    def details(self) -> str:
        """How derivatives are found, and which frequencies are left out."""
        offset = self.basis.maximum_offset
        return f"method={self._method}{unless(None, 'maximum_offset', offset)}"

    def extra_repr(self) -> str:
        return f"{self.field} of {self.field.group}, order={self.basis.order}, size={self.size}"
