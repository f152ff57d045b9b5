"""Kernel matrices, for convolutions on grids: their few offsets are shared by all points."""

from __future__ import annotations

import torch
from torch import Tensor

from .constants import ConstantModule
from .contraction import Contraction
from .paths import Paths


class DenseKernel(ConstantModule):
    """K_e = sum over paths p, components m and channels k of h_e[k, m] C_p[m] (x) W_p[., k, .].

    One matrix product for all paths that join two irreps, weights times steered filter values; its rows are kernels of
    single components, which one gather puts where the fields have them.

    Args:
        paths: those of the contraction.
    """

    _order: Tensor

    def __init__(self, paths: Paths) -> None:
        super().__init__()
        self._numbers = [[0] * len(paths.field_in) for _ in paths.irreps]  # of paths, by output irrep and input term
        for path in paths:
            self._numbers[path.out][path.term] += 1
        self.register_constant("_order", self._places(paths).flatten())

    def forward(self, contraction: Contraction, h: Tensor) -> Tensor:
        """Filter values h (edge, channel, component) to (field_out.dim, field_in.dim, edge)."""
        paths, (edges, channels, _) = contraction.paths, h.shape
        values, rows = h.permute(2, 1, 0).flatten(1), []
        steered = [self._steered(paths, i, term.irrep.dim, values) for i, term in enumerate(paths.field_in)]
        for o, (irrep, copies, numbers) in enumerate(zip(paths.irreps, paths.copies, self._numbers, strict=True)):
            sizes = [number * n * channels for number, (n, _) in zip(numbers, paths.field_in, strict=True)]
            weights = contraction.matrix(o).split(sizes)
            for i, (number, (n, irrep_in)) in enumerate(zip(numbers, paths.field_in, strict=True)):
                if number:
                    left = _joined(weights[i].reshape(number, n, channels, copies))
                    right = _joined(steered[i][o].view(number, irrep.dim * irrep_in.dim, channels, edges))
                    rows.append((left.T @ right).view(n * copies * irrep.dim * irrep_in.dim, edges))
        whole = torch.cat([*rows, h.new_zeros(1, edges)])
        return whole.index_select(0, self._order).view(paths.field_out.dim, paths.field_in.dim, edges)

    def _steered(self, paths: Paths, i: int, dim: int, values: Tensor) -> tuple[Tensor, ...]:
        """The values (component, (channel, edge)) times C_p, ((path, m_o, m_i), ...) for every output irrep."""
        sizes = [own[i] * irrep.dim * dim for own, irrep in zip(self._numbers, paths.irreps, strict=True)]
        return (paths.coupled(i).T @ values).split(sizes)

    def _places(self, paths: Paths) -> Tensor:
        """Row of every entry (field_out.dim, field_in.dim) of the kernel; where no path leads, the last, of zeros."""
        made, start = [], 0
        for irrep, copies, numbers in zip(paths.irreps, paths.copies, self._numbers, strict=True):
            made.append(torch.full((copies, irrep.dim, paths.field_in.dim), -1))
            for term, place, number in zip(paths.field_in, paths.field_in.slices(), numbers, strict=True):
                if number:
                    rows = torch.arange(start, start := start + copies * irrep.dim * term.dim)
                    blocks = rows.view(term.multiplicity, copies, irrep.dim, term.irrep.dim)
                    made[-1][:, :, place] = blocks.permute(1, 2, 0, 3).flatten(2)
        placed = [
            torch.full((term.dim, paths.field_in.dim), -1) if o is None else made[o][copies].flatten(0, 1)
            for (o, copies), term in zip(paths.terms_out, paths.field_out, strict=True)
        ]
        order = torch.cat(placed)
        return torch.where(order < 0, start, order)


def _joined(x: Tensor) -> Tensor:
    """(path, a, channel, b) to ((path, channel), (a, b))."""
    return x.transpose(1, 2).flatten(2).flatten(0, 1)


def dense_kernel(contraction: Contraction, h: Tensor) -> Tensor:
    """The kernel matrices (edge, field_out.dim, field of `paths`.dim) of filter values (edge, channel, component)."""
    kernel: Tensor = DenseKernel(contraction.paths).to(h.device)(contraction, h)
    return kernel.permute(2, 0, 1)
