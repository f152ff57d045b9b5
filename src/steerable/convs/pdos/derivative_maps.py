"""All derivatives of plain numbers at every point.

The derivatives may be summed with weights that depend on the point.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...field import Field, invariant_field
from ...filters import DerivativeFilter, StencilFilter
from ...groups import Group, trivial
from ...layers import Outer
from ...ops import Neighbourhoods
from ...tracing import transforms_active
from ..grids.window import Window
from ..points.graph import edges_of
from ..points.neighbour_conv import NeighbourConv


class PointDerivatives(nn.Module):
    """D_ck(x) = n^(-1/2) (P_k(d) f_c)(x) for all operators P_k of a filter and all channels c.

    One pass of moments.

    Args:
        filter: gives the operators.
        channels: numbers of f at a point.
    """

    def __init__(self, filter: DerivativeFilter, channels: int) -> None:
        super().__init__()
        self.filter = filter
        values = _Values(trivial(filter.field.group.dim), filter.field.dim)
        numbers = invariant_field(values.field.group, channels)
        all_ = invariant_field(values.field.group, channels * values.channels)
        self.conv = NeighbourConv(numbers, all_, values, Outer, engine="moments")

    def forward(
        self, f: Tensor, pos: Tensor, edge_index: Tensor | Neighbourhoods, stencil: Tensor
    ) -> Tensor:
        """Numbers and weights of derivatives to (point, channel, operator).

        The numbers are (point, channel), the weights (edge, monomial).
        """
        edges = edges_of(f, pos, edge_index, self.filter.field.group.dim)
        y: Tensor = self.conv(f, edges, self.filter.components(stencil))
        return y.unflatten(1, (f.shape[1], -1))


class GridDerivatives(nn.Module):
    """D_ck(x) = n^(-1/2) (P_k(d) f_c)(x) on a grid.

    Computed for all operators P_k of a filter and all channels c.

    Args:
        filter: gives the operators.
        padding_mode: `zeros`, `reflect`, `replicate` or `circular`.
    """

    def __init__(self, filter: StencilFilter, padding_mode: str = "zeros") -> None:
        super().__init__()
        self.filter, self.dim = filter, filter.field.group.dim
        self.window = Window(filter.size, 1, "same", 1, padding_mode)

    def forward(self, f: Tensor) -> Tensor:
        """Arrays of numbers (batch, channel, *spatial) to (batch, *spatial, channel, operator).

        One convolution.
        """
        channels = f.shape[1]
        x, margin = self.window.pad(f)
        weight = self._stencils().unflatten(1, [self.filter.size] * self.dim).unsqueeze(1)
        convolution = functional.conv2d if self.dim == 2 else functional.conv3d
        y = convolution(
            x, weight.repeat(channels, *[1] * (self.dim + 1)), padding=margin, groups=channels
        )
        return y.unflatten(1, (channels, -1)).movedim((1, 2), (-2, -1))

    def weighted(self, f: Tensor, weights: Tensor) -> Tensor:
        """The sums over operators k of w_k(x) D_ck(x), by the kernels they make at every point.

        Args:
            f: arrays of numbers (batch, group, copy, channel, *spatial).
            weights: w (batch, *spatial, group, channel, operator), the same for all copies.

        Returns:
            The shape of f.
        """
        x, margin = self.window.pad(f.flatten(1, 3))
        x = functional.pad(x, [margin, margin] * self.dim).unflatten(1, f.shape[1:4])
        x = x.movedim((2, 0, 1, 3), (-4, -3, -2, -1))  # (*padded, copy, batch, group, channel)
        w = weights.movedim((-1, 0), (0, -3))  # (operator, *spatial, batch, group, channel)
        kernel = (self._stencils().T @ w.flatten(1)).view(self.filter.size**self.dim, *w.shape[1:])
        y = _local_sum(x.flatten(-3), kernel.flatten(-3))
        return y.unflatten(-1, w.shape[-3:]).movedim((-4, -3, -2, -1), (2, 0, 1, 3))

    def _stencils(self) -> Tensor:
        """(operator, offset)."""
        values = self.filter.values()
        return values.T * values.shape[0] ** -0.5


def _local_sum(f: Tensor, kernel: Tensor) -> Tensor:
    """The sum of `_LocalSum`, in operations of torch where something has to follow each of them."""
    if transforms_active((f, kernel)):
        return torch.stack([f[window] * part for part, window in _shifted(f, kernel)]).sum(0)
    y: Tensor = _LocalSum.apply(f, kernel)
    return y


class _LocalSum(torch.autograd.Function):
    """y(x) = sum over offsets o of k_o(x) f(x + o).

    Offset by offset, so that nothing is written for all of them.

    f is (*padded, copy, number), k (offset, *spatial, number): rows of numbers are long, also where
    arrays are small.
    """

    @staticmethod
    def forward(ctx: Any, f: Tensor, kernel: Tensor) -> Tensor:
        ctx.save_for_backward(f, kernel)
        y = f.new_zeros(*kernel.shape[1:-1], *f.shape[-2:])
        for taps, window in _shifted(f, kernel):
            y.addcmul_(f[window], taps)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        f, kernel = ctx.saved_tensors
        to_f, to_kernel = torch.zeros_like(f), torch.zeros_like(kernel)
        for k, (taps, window) in enumerate(_shifted(f, kernel)):
            to_f[window].addcmul_(grad, taps)
            for copy in range(f.shape[-2]):
                to_kernel[k].addcmul_(grad[..., copy, :], f[window][..., copy, :])
        return to_f, to_kernel


def _shifted(f: Tensor, kernel: Tensor) -> Iterator[tuple[Tensor, Any]]:
    """For every offset k_o(x), for all copies, and where f(x + o) lies."""
    spatial = kernel.shape[1:-1]
    reach = [range(padded - width + 1) for padded, width in zip(f.shape, spatial, strict=False)]
    for taps, start in zip(kernel.unsqueeze(-2), itertools.product(*reach), strict=True):
        yield taps, tuple(slice(a, a + width) for a, width in zip(start, spatial, strict=True))


class _Values(nn.Module):
    """Attributes of edges as channels of a filter that no symmetry moves."""

    def __init__(self, group: Group, channels: int) -> None:
        super().__init__()
        self.field, self.channels = invariant_field(group, 1), channels
        self.attributes: Field = invariant_field(group, channels)

    def forward(self, offset: Tensor, attributes: Tensor) -> Tensor:
        return attributes.unsqueeze(2)
