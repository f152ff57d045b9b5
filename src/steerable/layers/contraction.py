"""The equivariant contraction V_filter (x) V_in -> V_out, cut in two so that neighbours are summed before weights."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..field import Field, require_same_group
from ..groups import Irrep, coupling
from .constants import ConstantModule


class Contraction(ConstantModule):
    """y = W (h (x) f): learned weights times Clebsch-Gordan tensors, from every channel to every channel.

    For input irreps i, output irreps o and the paths p of Hom(filter (x) i, o) with tensors C,

        couple:   g[h-channel, (o, p, m_o), m_i] = sum_m C_p[m_o, m, m_i] h[h-channel, m]      per edge
        moments:  A[h-channel, (o, p, m_o), f-channel] = sum over edges and m_i of g f         ops.moments
        forward:  y[o-channel, m_o] = sum over p and both channels of w_p A                    per node

    The tensors are constants and the weights know nothing of the edge, so the result is that of the kernel
    sum_p w_p C_p h per edge, which is never formed.

    Args:
        field_filter: the irreps of one channel of the filter.
        filter_channels: number of channels of the filter.
        field_in: type of the features f.
        field_out: type of the result y.

    Raises:
        FieldMismatchError: fields of different groups.
        ValueError: irreps of the output that no filter component can make from the input.
    """

    def __init__(self, field_filter: Field, filter_channels: int, field_in: Field, field_out: Field) -> None:
        super().__init__()
        require_same_group("Contraction", field_filter, field_in, field_out)
        self.field_filter, self.filter_channels = field_filter, filter_channels
        self.field_in, self.field_out = field_in, field_out
        out = list(dict.fromkeys(term.irrep for term in field_out))
        self._rows: list[list[_Rows]] = []
        for i, term in enumerate(field_in):
            tensor, rows = _couplings(field_filter, term.irrep, out)
            self.register_constant(f"_tensor_{i}", tensor)
            self._rows.append(rows)
        fan_in = {irrep: self._fan_in(irrep) for irrep in out}
        for irrep, width in fan_in.items():
            if width == 0:
                raise ValueError(
                    f"No filter of {field_filter} makes {irrep} from {field_in}. Give the filter more irreps "
                    "(a higher degree), or drop that irrep from the output."
                )
        self.weights = nn.ParameterList(
            torch.randn(fan_in[t.irrep], t.multiplicity) / math.sqrt(fan_in[t.irrep]) for t in field_out
        )

    def couple(self, h: Tensor) -> list[Tensor]:
        """Filter values (edge, channel, field_filter.dim) to g, one (edge, row, m_i) per term of the input."""
        edges = h.shape[0]
        flat = h.reshape(edges * self.filter_channels, self.field_filter.dim)
        result = []
        for i, term in enumerate(self.field_in):
            tensor: Tensor = getattr(self, f"_tensor_{i}")
            rows = self.filter_channels * (tensor.shape[1] // term.irrep.dim)
            result.append((flat @ tensor).view(edges, rows, term.irrep.dim))
        return result

    def split(self, f: Tensor) -> list[Tensor]:
        """Features (..., field_in.dim) by term: (..., copy, m_i)."""
        return [
            f[..., place].unflatten(-1, (term.multiplicity, term.irrep.dim))
            for term, place in zip(self.field_in, self.field_in.slices(), strict=True)
        ]

    def forward(self, moments: list[Tensor]) -> Tensor:
        """Moments, one (node, row, copy) per term of the input, to y (node, field_out.dim)."""
        nodes = moments[0].shape[0]
        parts = [a.unflatten(1, (self.filter_channels, a.shape[1] // self.filter_channels)) for a in moments]
        gathered: dict[Irrep, Tensor] = {}
        y = []
        for term, weight in zip(self.field_out, self.weights, strict=True):
            if term.irrep not in gathered:
                gathered[term.irrep] = self._gather(parts, term.irrep)
            y.append((gathered[term.irrep] @ weight).transpose(1, 2).reshape(nodes, term.dim))
        return torch.cat(y, -1)

    def _gather(self, parts: list[Tensor], irrep: Irrep) -> Tensor:
        """All moments of one output irrep: (node, m_o, path and channels)."""
        found = []
        for part, rows in zip(parts, self._rows, strict=True):
            for row in rows:
                if row.irrep == irrep:
                    block = part[:, :, row.start : row.start + row.paths * irrep.dim]
                    block = block.unflatten(2, (row.paths, irrep.dim))
                    found.append(block.permute(0, 3, 1, 2, 4).flatten(2))
        return torch.cat(found, -1)

    def _fan_in(self, irrep: Irrep) -> int:
        return sum(
            row.paths * self.filter_channels * term.multiplicity
            for term, rows in zip(self.field_in, self._rows, strict=True)
            for row in rows
            if row.irrep == irrep
        )

    def extra_repr(self) -> str:
        return f"{self.filter_channels} x ({self.field_filter}) (x) {self.field_in} -> {self.field_out}"


class _Rows(NamedTuple):
    """The rows of g that make one output irrep: `paths` times its components, from `start`."""

    irrep: Irrep
    paths: int
    start: int


def _couplings(field_filter: Field, irrep_in: Irrep, out: list[Irrep]) -> tuple[Tensor, list[_Rows]]:
    """Tensors of every path as one matrix (filter component, (o, p, m_o) m_i), and where each output irrep lies."""
    columns: list[Tensor] = []
    rows: list[_Rows] = []
    start = 0
    for irrep in out:
        paths = 0
        for term, place in zip(field_filter, field_filter.slices(), strict=True):
            for copy in range(term.multiplicity):
                at = place.start + copy * term.irrep.dim
                for tensor in coupling(term.irrep, irrep_in, irrep):
                    full = torch.zeros(field_filter.dim, irrep.dim, irrep_in.dim, dtype=torch.float64)
                    scaled = torch.from_numpy(tensor * irrep.dim**0.5).transpose(0, 1)
                    full[at : at + term.irrep.dim] = scaled
                    columns.append(full.flatten(1))
                    paths += 1
        if paths:
            rows.append(_Rows(irrep, paths, start))
            start += paths * irrep.dim
    matrix = torch.cat(columns, 1) if columns else torch.zeros(field_filter.dim, 0, dtype=torch.float64)
    return matrix, rows
