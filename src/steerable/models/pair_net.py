"""A network of second order on small molecules: features of all pairs of atoms."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..convs import PairLinear, Pairs, pairs_of
from ..convs.sets import check_numbers, stack, stacked_field
from ..field import Field, invariant_field
from ..filters import HarmonicFilter
from ..layers import Gate, Linear, RMSNorm
from ..ops import check_points


class PairNet(nn.Module):
    """y_i = W (x_ii, mean_j x_ij, mean_j x_ji) after gated PairLinears.

    They act on x_ij = h(pos_j - pos_i, a_i, a_j).

    Every pair of points starts with harmonics of its relative position times learned functions of
    the distance and of the attributes of both points; layers x + gate(PairLinear(norm x)) follow.
    n^2 numbers a channel. The result commutes with permutations of the points, with G, and does not
    change with translations.

    Args:
        attributes: number of invariant attributes of every point.
        hidden: type of the hidden features of pairs, a Field or its text (of O(3)).
        field_out: type of the result.
        layers: how many times pairs see each other.
        cutoff: distance beyond which pairs start with zeros, in the unit of positions.
        radial: number of radial functions.
        max_degree: of the harmonics.
    """

    def __init__(
        self,
        attributes: int,
        hidden: Field | str,
        field_out: Field | str,
        layers: int = 2,
        cutoff: float = 8.0,
        radial: int = 16,
        max_degree: int = 2,
    ) -> None:
        super().__init__()
        inner = Field.parse(hidden)
        self.field, self.field_out = inner, Field.parse(field_out, inner.group)
        self.attributes = attributes
        ends = invariant_field(inner.group, 2 * attributes)
        self.filter = HarmonicFilter(max_degree, cutoff, radial, ends, group=inner.group)
        self.first = Linear(self.filter.field * radial, inner)
        self.layers = nn.ModuleList(_Layer(inner) for _ in range(layers))
        nodes = stacked_field(inner, 3)
        self.last = nn.Sequential(RMSNorm(nodes), Linear(nodes, self.field_out))

    def forward(
        self, x: Tensor, pos: Tensor, batch: Tensor | None = None, size: int | None = None
    ) -> Tensor:
        """Evaluate.

        Args:
            x: invariant attributes (node, attributes).
            pos: positions (node, d).
            batch: molecule of every node (node,), sorted; one molecule if absent.
            size: number of molecules; by default the largest in `batch` plus one.

        Returns:
            (node, field_out.dim).

        Raises:
            ValueError: NaN, attributes or positions that do not fit, or a batch that is not sorted.
        """
        if x.shape != (pos.shape[0], self.attributes):
            raise ValueError(
                f"PairNet expects attributes ({len(pos)}, {self.attributes}); got {tuple(x.shape)}."
            )
        check_numbers("PairNet", x)
        check_points(pos, batch)
        pairs = pairs_of(
            torch.zeros(x.shape[0], dtype=torch.long, device=x.device) if batch is None else batch,
            size,
        )
        row, column = pairs.ends()
        ends = torch.cat([x.index_select(0, row), x.index_select(0, column)], -1)
        h = self.first(
            self.filter(pos.index_select(0, column) - pos.index_select(0, row), ends).flatten(1)
        )
        for layer in self.layers:
            h = layer(h, pairs)
        h = pairs.form(h)
        summaries = [pairs.diagonal(h), pairs.row_mean(h), pairs.column_mean(h)]
        y: Tensor = self.last(stack(summaries, self.field).flatten(0, -2))
        return y


class _Layer(nn.Module):
    """x + gate(PairLinear(norm x))."""

    def __init__(self, field: Field) -> None:
        super().__init__()
        self.norm, self.gate = RMSNorm(field), Gate(field)
        self.linear = PairLinear(field, self.gate.field_in)

    def forward(self, x: Tensor, pairs: Pairs) -> Tensor:
        y: Tensor = x + self.gate(self.linear(self.norm(x), pairs))
        return y
