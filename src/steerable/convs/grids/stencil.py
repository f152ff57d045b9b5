"""Values of a filter on the offsets of a grid, with as little aliasing as the stencil allows."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Iterator
from functools import reduce

import torch
from torch import Tensor, nn

from ...constants import ConstantModule
from ...filters import Filter, GridFilter, SeparableFilter
from ...functions import polynomial_cutoff
from .shells import Shells, for_samples

_FINER = {2: 6, 3: 4}  # fine points per step of the stencil, by dimension


class Stencil(ConstantModule):
    """h_o = m(|o|) sum over fine points z of G(o - z) h(z).

    The offsets o are in {-(n-1)/2, ..., (n-1)/2}^d.

    Sampled on a grid, whatever the filter h holds beyond the grid's highest frequency comes back as
    a kernel that no longer turns with the group: so does every harmonic on a ring of too few
    points. The Gaussian G takes those frequencies away before the grid is seen, and being round it
    takes high degrees from small rings and leaves them on large ones. The mask m ends smoothly at
    (n + 1) / 2 steps, the largest open ball whose points are all in the stencil. Both commute with
    the symmetries of the grid, which stay exact.

    Args:
        dim: dimension d, 2 or 3.
        size: number n of offsets along every axis, odd.
        step: distance of neighbouring offsets, in the unit of the filter.
        smoothing: standard deviation of G in steps; 0 gives the values of the filter, h_o = h(o).

    Raises:
        ValueError: an even size, a step that is not positive, a negative smoothing.
    """

    points: Tensor
    _inside: Tensor
    _gaussian: Tensor
    _mask: Tensor

    def __init__(self, dim: int, size: int, step: float, smoothing: float) -> None:
        super().__init__()
        if size < 1 or size % 2 == 0:
            raise ValueError(
                "kernel_size is odd, so that a point of the grid is the centre of the kernel; got "
                f"{size}. Choose {max(size - 1, 1)} or {size + 1}."
            )
        if not 0 < step < math.inf:
            raise ValueError(f"The spacing of a grid is positive and finite; got {step}.")
        if not 0 <= smoothing < math.inf:
            raise ValueError(
                f"smoothing is 0 or a positive number of steps of the stencil; got {smoothing}."
            )
        self.dim, self.size, self.step, self.smoothing = dim, size, step, smoothing
        self._prepared: list[Filter] = []
        self._shells = nn.ModuleList()
        coarse = torch.arange(size, dtype=torch.float64) - size // 2
        if not smoothing:
            self.register_constant("points", _product(coarse, dim) * step)
            return
        reach, finer = (size + 1) / 2, _FINER[dim]
        fine = (
            torch.arange(-int(reach * finer), int(reach * finer) + 1, dtype=torch.float64) / finer
        )
        points = _product(fine, dim)
        inside = points.norm(dim=1) < reach
        self.register_constant("points", points[inside] * step)
        self.register_constant("_inside", inside.nonzero().squeeze(1))
        distance = (coarse[:, None] - fine) / smoothing
        self.register_constant(
            "_gaussian", torch.exp(-distance.square() / 2) / (math.tau**0.5 * smoothing * finer)
        )
        self.register_constant("_mask", polynomial_cutoff(_product(coarse, dim).norm(dim=1), reach))

    def forward(self, filter: Filter, attributes: Tensor | None = None) -> Tensor:
        """The values h_o of a filter.

        Args:
            filter: the filter; a GridFilter says itself what its values are.
            attributes: of samples (sample, filter.attributes.dim); without them there is one
                sample.

        Returns:
            (sample, offset, channel, filter.field.dim), offsets in the order of the coordinates,
            the last one fastest.
        """
        if isinstance(filter, GridFilter):
            return filter.on_grid(self.size, self, attributes)
        for prepared, shells in zip(self._prepared, self._shells, strict=True):
            if prepared is filter:
                values: Tensor = shells(filter, attributes)
                return values
        h = for_samples(filter, self.points, attributes)
        return self._smoothed(h) if self.smoothing else h

    def prepare(self, filter: Filter) -> None:
        """Sum beforehand what a filter, or one that it joins, has in fixed harmonics."""
        points = self._exact["points"]
        for part in filter.modules() if self.smoothing and isinstance(filter, nn.Module) else []:
            if isinstance(part, SeparableFilter):
                with torch.enable_grad():
                    harmonics = copy.deepcopy(part).double().harmonics(points)
                if not harmonics.requires_grad:
                    self._shells.append(Shells(points, harmonics, self._weights()))
                    self._prepared.append(part)

    def _weights(self) -> Iterator[Tensor]:
        """For every offset m(|o|) G(o - z) of all fine points, in float64."""
        gaussian, inside = self._exact["_gaussian"], self._exact["_inside"]
        for mask, rows in zip(
            self._exact["_mask"], itertools.product(gaussian, repeat=self.dim), strict=True
        ):
            yield mask * reduce(torch.kron, rows)[inside]

    def _smoothed(self, h: Tensor) -> Tensor:
        """The masked sums over fine points, axis by axis.

        Maps (sample, inside, ...) to (sample, offset, ...).
        """
        fine = self._gaussian.shape[1]
        flat = h.flatten(2)
        whole = flat.new_zeros(h.shape[0], fine**self.dim, flat.shape[2]).index_add_(
            1, self._inside, flat
        )
        whole = whole.unflatten(1, [fine] * self.dim)
        for _ in range(self.dim):
            rest = whole.shape[2:]
            whole = (self._gaussian @ whole.flatten(2)).unflatten(2, rest).movedim(1, self.dim)
        return (whole.flatten(1, self.dim) * self._mask.unsqueeze(1)).unflatten(2, h.shape[2:])

    def extra_repr(self) -> str:
        return f"{' x '.join([str(self.size)] * self.dim)}, smoothing={self.smoothing}"


def _product(axis: Tensor, dim: int) -> Tensor:
    """The points (point, dim) whose coordinates are all of `axis`."""
    return torch.cartesian_prod(*[axis] * dim)
