"""Linear maps of node features that commute with permutations.

All that are at most linear in a graph are included.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch_geometric.nn import MessagePassing

from ...field import Field
from ...groups import Group, group_label
from ...layers import Linear, Meaningful
from ...ops import check_edge_index, segment_mean, segment_sum
from ..sets.ragged import check_sets
from ..sets.stacked import stack, stacked_field


class GraphLinear(Meaningful, MessagePassing):
    """y = W (x_i, sum_j A_ij x_j, d_i x_i, d x_i) + V (m, mean_i d_i x_i, d m) + d_i U m + b.

    Here m = mean x and d = mean d_i.

    A is the adjacency matrix, divided by the usual number of neighbours, and d_i are its sums over
    rows. On simple undirected graphs the six terms with A are all maps linear in x and A that
    commute with permutations of the nodes; the two without, x_i and m, are those of SetLinear.
    Every matrix is equivariant, one set of weights per irrep of G.

    Args:
        field_in: type of x, a Field or its text (of O(3) unless `group` is given).
        field_out: type of y.
        neighbours: the usual number of neighbours.
        bias: whether trivial irreps get a bias, 0 at the start.
        group: the group of fields given as text.

    Raises:
        FieldMismatchError: fields of two groups, or features that do not fit.
        ValueError: a number of neighbours that is not positive.

    Source: Maron et al. 2019, arXiv:1812.09902, for x (x) A of one layer.
    """

    def __init__(
        self,
        field_in: Field | str,
        field_out: Field | str,
        neighbours: float = 1.0,
        bias: bool = True,
        group: Group | None = None,
    ) -> None:
        super().__init__(aggr="add")
        if not neighbours > 0:
            raise ValueError(
                f"neighbours is the usual number of neighbours, above 0; got {neighbours}."
            )
        self.field_in, self.field_out = Field.parse(field_in, group), Field.parse(field_out, group)
        self.neighbours = neighbours
        self.nodes = Linear(stacked_field(self.field_in, 4), self.field_out, bias=bias)
        self.graphs = Linear(stacked_field(self.field_in, 3), self.field_out, bias=False)
        self.degrees = Linear(self.field_in, self.field_out, bias=False)

    def forward(
        self, x: Tensor, edge_index: Tensor, batch: Tensor | None = None, size: int | None = None
    ) -> Tensor:
        """Map.

        Args:
            x: features (node, field_in.dim).
            edge_index: (2, edge), row 0 the source j, row 1 the target i; every edge in both
                directions.
            batch: graph of every node (node,), in any order; one graph if absent.
            size: number of graphs; by default the largest in `batch` plus one. Give it to compile.

        Returns:
            (node, field_out.dim).

        Raises:
            ValueError: edges to nodes that do not exist, or a batch that does not fit.
        """
        self.field_in.check(x, "GraphLinear")
        check_edge_index(edge_index, x.shape[0], x.shape[0])
        batch, size = check_sets("GraphLinear", x, batch, size)
        around = self.propagate(edge_index, x=x) / self.neighbours  # type: ignore[operator]
        degree = (
            segment_sum(x.new_ones(edge_index.shape[1], 1), edge_index[1], x.shape[0])
            / self.neighbours
        )
        means = segment_mean(torch.cat([x, around, degree], -1), batch, size)
        mean, mean_around, density = means.split([self.field_in.dim, self.field_in.dim, 1], -1)
        dense = density.index_select(0, batch)
        y = self.nodes(stack([x, around, degree * x, dense * x], self.field_in))
        everywhere = self.graphs(stack([mean, mean_around, density * mean], self.field_in))
        constant, slope = (
            torch.cat([everywhere, self.degrees(mean)], -1).index_select(0, batch).chunk(2, -1)
        )
        return y + constant + degree * slope

    def meaning(self) -> str:
        return (
            f"{self.field_in} -> {self.field_out}, {group_label(self.field_in.group)}, "
            f"neighbours={self.neighbours}"
        )

    def message(self, x_j: Tensor) -> Tensor:
        return x_j

    def aggregate(
        self, inputs: Tensor, index: Tensor, ptr: Tensor | None = None, dim_size: int | None = None
    ) -> Tensor:
        return segment_sum(inputs, index, dim_size or 0)
