"""Kernel matrices, for convolutions on grids: their few offsets are shared by all points."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from ..constants import ConstantModule
from .contraction import Contraction
from .paths import Paths


class DenseKernel(ConstantModule):
    """K_e = sum over paths p, components m and channels k of h_e[k, m] C_p[m] (x) W_p[., k, .].

    One matrix product for all paths that join two irreps, weights times steered filter values; its
    rows are kernels of single components, which one gather puts where the fields have them.

    Args:
        paths: those of the contraction.
        values: h (edge, channel, component), float64, where they are constants: they are steered
            now, once.
    """

    _order: Tensor
    _steered: Tensor

    def __init__(self, paths: Paths, values: Tensor | None = None) -> None:
        super().__init__()
        self._numbers = [
            [0] * len(paths.field_in) for _ in paths.irreps
        ]  # of paths, by output irrep and input term
        for path in paths:
            self._numbers[path.out][path.term] += 1
        self.register_constant("_order", self._places(paths).flatten())
        self.is_constant = values is not None
        if values is not None:
            matrices = self._steer(copy.deepcopy(paths).double(), values)
            self._shapes, self._edges = [matrix.shape for matrix in matrices], len(values)
            self.register_constant(
                "_steered", torch.cat([values.new_zeros(0), *map(torch.flatten, matrices)])
            )

    def forward(self, contraction: Contraction, h: Tensor | None, scale: Tensor) -> Tensor:
        """Filter values h (edge, channel, component) times `scale` to kernels.

        For `h=None` the constant filter values are used.

        Returns:
            (field_out.dim, field_in.dim, edge).
        """
        paths, rows = contraction.paths, []
        edges = self._edges if h is None else h.shape[0]
        steered = iter(self._constants(scale) if h is None else self._steer(paths, h * scale))
        for o, (irrep, copies, numbers) in enumerate(
            zip(paths.irreps, paths.copies, self._numbers, strict=True)
        ):
            sizes = [
                number * n * contraction.channels
                for number, (n, _) in zip(numbers, paths.field_in, strict=True)
            ]
            weights = contraction.matrix(o).split(sizes)
            for weight, number, (n, irrep_in) in zip(weights, numbers, paths.field_in, strict=True):
                if number:
                    left = _joined(weight.reshape(number, n, contraction.channels, copies))
                    rows.append(
                        (left.T @ next(steered)).view(n * copies * irrep.dim * irrep_in.dim, edges)
                    )
        whole = torch.cat([*rows, scale.new_zeros(1, edges)])
        return whole.index_select(0, self._order).view(
            paths.field_out.dim, paths.field_in.dim, edges
        )

    def _constants(self, scale: Tensor) -> list[Tensor]:
        parts = (self._steered * scale).split([shape.numel() for shape in self._shapes])
        return [part.view(shape) for part, shape in zip(parts, self._shapes, strict=True)]

    def _steer(self, paths: Paths, h: Tensor) -> list[Tensor]:
        """C_p times the values, ((path, channel), (m_o, m_i, edge)).

        One matrix is returned for every output irrep and every term that leads to it.
        """
        edges, channels, _ = h.shape
        values, matrices = h.permute(2, 1, 0).flatten(1), []
        for i, term in enumerate(paths.field_in):
            shapes = [
                (numbers[i], irrep.dim * term.irrep.dim)
                for numbers, irrep in zip(self._numbers, paths.irreps, strict=True)
            ]
            parts = (paths.coupled(i).T @ values).split([number * dim for number, dim in shapes])
            matrices.append(
                [
                    _joined(p.view(*shape, channels, edges))
                    for p, shape in zip(parts, shapes, strict=True)
                ]
            )
        return [matrix for row in zip(*matrices, strict=True) for matrix in row if len(matrix)]

    def _places(self, paths: Paths) -> Tensor:
        """Row of every entry (field_out.dim, field_in.dim) of the kernel.

        Entries that no path reaches point to the last row, which is zero.
        """
        row_numbers, start = [], 0
        for irrep, copies, numbers in zip(paths.irreps, paths.copies, self._numbers, strict=True):
            row_numbers.append(torch.full((copies, irrep.dim, paths.field_in.dim), -1))
            for term, place, number in zip(
                paths.field_in, paths.field_in.slices(), numbers, strict=True
            ):
                if number:
                    rows = torch.arange(start, start := start + copies * irrep.dim * term.dim)
                    blocks = rows.view(term.multiplicity, copies, irrep.dim, term.irrep.dim)
                    row_numbers[-1][:, :, place] = blocks.permute(1, 2, 0, 3).flatten(2)
        placed = [
            torch.full((term.dim, paths.field_in.dim), -1)
            if o is None
            else row_numbers[o][copies].flatten(0, 1)
            for (o, copies), term in zip(paths.terms_out, paths.field_out, strict=True)
        ]
        order = torch.cat(placed)
        return torch.where(order < 0, start, order)


def _joined(x: Tensor) -> Tensor:
    """(path, a, channel, b) to ((path, channel), (a, b))."""
    return x.transpose(1, 2).flatten(2).flatten(0, 1)


def dense_kernel(contraction: Contraction, h: Tensor) -> Tensor:
    """The kernel matrices (edge, field_out.dim, field of `paths`.dim).

    The filter values are (edge, channel, component).
    """
    kernel: Tensor = DenseKernel(contraction.paths).to(h.device)(contraction, h, h.new_ones(()))
    return kernel.permute(2, 0, 1)
