"""Invariant weights of edges that compare the features of both ends."""

from __future__ import annotations

from torch import Tensor, nn

from ...field import Field
from ...layers import Linear
from ...ops import segment_softmax


class Attention(nn.Module):
    """a_ij = softmax over neighbours j of <Q f_i, K f_j> / sqrt(dim).

    Q and K are equivariant linear maps.

    Irreps are orthogonal, so the product of two features of one field is invariant.

    Args:
        field: type of the features.
    """

    def __init__(self, field: Field) -> None:
        super().__init__()
        self.query, self.key = Linear(field, field, bias=False), Linear(field, field, bias=False)

    def forward(self, source: Tensor, target: Tensor, edge_index: Tensor) -> Tensor:
        """Features of sources and targets and edges (2, edge) to weights (edge,).

        The features are (node, field.dim).
        """
        query = self.query(target).index_select(0, edge_index[1])
        key = self.key(source).index_select(0, edge_index[0])
        logits = (query * key).sum(-1) / max(1, query.shape[1]) ** 0.5
        return segment_softmax(logits, edge_index[1], target.shape[0])
