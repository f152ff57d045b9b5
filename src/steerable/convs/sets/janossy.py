"""Janossy pooling: the mean over tuples of elements.

The function sees the elements of a tuple together.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch_geometric.nn.aggr import Aggregation

from ...layers import reset
from ...ops import segment_mean
from .ragged import check_aggregation

MOST_TUPLES = 2**24


class JanossyAggregation(Aggregation):
    """y = mean of f(x_i1, .., x_ik) over all ordered k-tuples of different elements.

    The mean may also be over some drawn at random.

    k = 1 is DeepSets, k = 2 a relation network; what f sees together it need not rebuild from sums.
    A steerable f keeps the symmetry of its field. A set of fewer than k elements has no tuples and
    gives 0, as an empty sum does.

    Args:
        function: f, a module that takes (tuple, k * channel), the elements of a tuple side by side.
        k: elements in a tuple; n! / (n - k)! tuples of a set of n.
        samples: how many tuples to draw, with replacement, for every set that has more; all tuples
            if absent.

    Raises:
        ValueError: k below 1, or more tuples than memory is likely to hold.

    Source: Murphy et al. 2019 (Janossy pooling), arXiv:1811.01900, section 2.1.
    """

    def __init__(self, function: nn.Module, k: int = 2, samples: int | None = None) -> None:
        super().__init__()
        if k < 1 or (samples is not None and samples < 1):
            raise ValueError(
                f"Tuples have k of at least 1 elements and samples is at least 1; got {k}, "
                f"{samples}."
            )
        self.function, self.k, self.samples = function, k, samples

    def forward(
        self,
        x: Tensor,
        index: Tensor | None = None,
        ptr: Tensor | None = None,
        dim_size: int | None = None,
        dim: int = -2,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Pool.

        Args:
            x: features (element, channel).
            index: set of every element (element,), in any order.
            ptr: where sets begin and end in x (set + 1,), instead of `index`.
            dim_size: number of sets.
            dim: the axis of elements, 0.
            generator: draws the samples.

        Returns:
            (set, channels of f).
        """
        index, size = check_aggregation("JanossyAggregation", x, index, ptr, dim_size, dim)
        sizes = torch.bincount(index, minlength=size)
        number = self._numbers(sizes)
        owner = torch.arange(size, device=x.device).repeat_interleave(number)
        place = torch.arange(owner.shape[0], device=x.device) - (
            number.cumsum(0) - number
        ).index_select(0, owner)
        members = self._members(
            place, sizes.index_select(0, owner), number.index_select(0, owner), generator
        )
        order = torch.argsort(index, stable=True)
        first = (sizes.cumsum(0) - sizes).index_select(0, owner)
        together = [x.index_select(0, order.index_select(0, first + member)) for member in members]
        return segment_mean(self.function(torch.cat(together, -1)), owner, size)

    def reset_parameters(self) -> None:
        """Draw the weights of the function anew."""
        reset(self.function)

    def __repr__(self) -> str:
        return nn.Module.__repr__(self)  # that of Aggregation has no arguments

    def extra_repr(self) -> str:
        return f"k={self.k}, samples={self.samples}"

    def _numbers(self, sizes: Tensor) -> Tensor:
        """How many tuples to take of every set."""
        every = [math.perm(n, self.k) for n in sizes.tolist()]
        taken = every if self.samples is None else [min(n, self.samples) for n in every]
        if sum(taken) > MOST_TUPLES:
            raise ValueError(
                f"Janossy pooling of k = {self.k} makes {sum(taken):,} tuples of these sets, the "
                f"largest of {int(sizes.max()):,} elements; at most {MOST_TUPLES:,} fit. Take a "
                f"smaller k, or samples={MOST_TUPLES // len(taken)} at most."
            )
        return torch.tensor(taken, dtype=torch.long, device=sizes.device)

    def _members(
        self, place: Tensor, n: Tensor, taken: Tensor, generator: torch.Generator | None
    ) -> list[Tensor]:
        """The k different elements, below n, of a tuple of a set.

        The tuple is number `place`, or one drawn at random.
        """
        members: list[Tensor] = []
        for k in range(self.k):
            left = n - k
            member, place = place % left, place // left
            if self.samples is not None:
                drawn = torch.rand(
                    n.shape[0], generator=generator, dtype=torch.float64, device=n.device
                )
                member = torch.where(taken == self.samples, (drawn * left).long(), member)
            for other in torch.stack(members).sort(0).values if members else ():
                member = member + (member >= other)  # numbers of those that are not taken yet
            members.append(member)
        return members
