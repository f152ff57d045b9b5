"""Featurewise sort pooling: a weighted sum of the sorted values of every channel."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch_geometric.nn.aggr import Aggregation

from ...field import check_floating
from ...ops import segment_mean
from .ragged import check_aggregation, check_numbers


class SortPoolAggregation(Aggregation):
    """y_c = mean over ranks i of w_c(i / (n - 1)) x_(i)c.

    x_(i)c is the i-th largest of the n values of channel c.

    The weights w_c are piecewise linear on [0, 1], so that one set of them does for every n: mean,
    maximum, minimum, median and ranges are special cases. An empty set gives 0. The source sums
    where this takes the mean, which does not grow with the set.

    Args:
        channels: number of channels.
        pieces: in how many intervals the weights are linear.

    Raises:
        ValueError: features that do not fit, or NaN, which have no rank.

    Source: Zhang, Hare, Prugel-Bennett 2020 (FSPool), arXiv:1906.02795, section 3.
    """

    def __init__(self, channels: int, pieces: int = 8) -> None:
        super().__init__()
        if pieces < 1:
            raise ValueError(f"Weights are linear on at least 1 piece; got {pieces}.")
        self.channels, self.pieces = channels, pieces
        self.weight = nn.Parameter(torch.empty(pieces + 1, channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights."""
        nn.init.normal_(self.weight)

    def forward(
        self,
        x: Tensor,
        index: Tensor | None = None,
        ptr: Tensor | None = None,
        dim_size: int | None = None,
        dim: int = -2,
    ) -> Tensor:
        """Pool.

        Args:
            x: features (element, channels).
            index: set of every element (element,), in any order.
            ptr: where sets begin and end in x (set + 1,), instead of `index`.
            dim_size: number of sets.
            dim: the axis of elements, 0.

        Returns:
            (set, channels).
        """
        index, size = check_aggregation("SortPoolAggregation", x, index, ptr, dim_size, dim)
        if x.shape[1] != self.channels:
            raise ValueError(
                f"SortPoolAggregation expects {self.channels} channels and got {x.shape[1]}."
            )
        check_floating(x, "SortPoolAggregation")
        check_numbers("SortPoolAggregation", x)
        by_value = torch.argsort(x.detach(), dim=0, descending=True)
        by_set = torch.argsort(index[by_value], dim=0, stable=True)
        ranked = x.gather(0, by_value.gather(0, by_set))
        owner = index.sort().values
        sizes = torch.bincount(index, minlength=size)
        rank = torch.arange(x.shape[0], device=x.device) - (sizes.cumsum(0) - sizes).index_select(
            0, owner
        )
        return segment_mean(self._weights(rank, sizes.index_select(0, owner)) * ranked, owner, size)

    def _weights(self, rank: Tensor, n: Tensor) -> Tensor:
        """The weights (element, channel) of the ranks 0 to n - 1."""
        place = self.pieces * rank.to(self.weight.dtype) / (n - 1).clamp(min=1)
        knots = torch.arange(self.pieces + 1, dtype=place.dtype, device=place.device)
        hats = (1 - (place.unsqueeze(1) - knots).abs()).clamp(min=0)
        return hats @ self.weight

    def __repr__(self) -> str:
        return nn.Module.__repr__(self)  # that of Aggregation has no arguments

    def extra_repr(self) -> str:
        return f"{self.channels}, pieces={self.pieces}"
