"""Attention between the elements of sets by way of a few learned points: cost n m, not n^2."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...field import check_floating
from ...layers import Meaningful, reset_children
from ...ops import Neighbourhoods, neighbourhoods, segment_softmax, segment_sum
from ...tracing import is_traced
from .ragged import check_sets


class InducedSetAttention(Meaningful):
    """y = MAB(x, MAB(p, x)) with m learned points p.

    The points look at the elements of a set, and these look at what they saw.

        MAB(q, x) = norm(h + F h),  h = norm(q + O attention(Q q, K x, V x))

    with a multilayer perceptron F and softmax attention of several heads. It commutes with
    permutations of every set; stack several for higher interactions. Invariant features alone. Sets
    are not padded: those of about equal size are computed together.

    Args:
        channels: of x and y.
        points: m.
        heads: heads of attention; they divide the channels.

    Raises:
        ValueError: heads that do not divide the channels, or features that do not fit.

    Source: Lee et al. 2019 (Set Transformer), arXiv:1810.00825, eq. 6 and 9 to 11.
    """

    def __init__(self, channels: int, points: int = 16, heads: int = 4) -> None:
        super().__init__()
        if channels % heads:
            raise ValueError(
                f"{heads} heads share the channels evenly; {channels} channels are no multiple."
            )
        self.channels, self.heads = channels, heads
        self.points = nn.Parameter(torch.empty(points, channels))
        nn.init.normal_(self.points)
        self.gather, self.spread = _Block(channels), _Block(channels)

    def forward(self, x: Tensor, batch: Tensor | None = None, size: int | None = None) -> Tensor:
        """Attend.

        Args:
            x: features (element, channels).
            batch: set of every element (element,), in any order; one set if absent.
            size: number of sets; by default the largest in `batch` plus one. Give it to compile.

        Returns:
            (element, channels).
        """
        if x.dim() != 2 or x.shape[1] != self.channels:
            raise ValueError(
                f"InducedSetAttention expects (element, {self.channels}); got {tuple(x.shape)}."
            )
        check_floating(x, "InducedSetAttention")
        batch, size = check_sets("InducedSetAttention", x, batch, size)
        sets = _Rows(batch, size) if is_traced(x) else _Blocks(batch, size)
        query = self._split(self.gather.query(self.points))
        key, value = self.gather.seen(x).chunk(2, -1)
        heads = sets.gather(query, self._split(key), self._split(value))
        points = self.gather(self.points.expand(size, -1, -1), heads.flatten(-2))

        query = self._split(self.spread.query(x))
        key, value = self.spread.seen(points).chunk(2, -1)
        heads = sets.spread(query, self._split(key), self._split(value))
        return self.spread(x, heads.flatten(-2))

    def reset_parameters(self) -> None:
        """Draw new weights and points."""
        nn.init.normal_(self.points)
        reset_children(self)

    def meaning(self) -> str:
        return f"{self.channels}, points={len(self.points)}, heads={self.heads}"

    def _split(self, x: Tensor) -> Tensor:
        """Channels (..., channel) by head (..., head, channel).

        Queries and keys have unit product.
        """
        return x.unflatten(-1, (self.heads, -1))


class _Block(nn.Module):
    """What MAB is made of besides attention."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query, self.seen = nn.Linear(channels, channels), nn.Linear(channels, 2 * channels)
        self.out = nn.Linear(channels, channels)
        self.first, self.last = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.feed = nn.Sequential(
            nn.Linear(channels, channels), nn.SiLU(), nn.Linear(channels, channels)
        )

    def forward(self, x: Tensor, heads: Tensor) -> Tensor:
        h = self.first(x + self.out(heads))
        y: Tensor = self.last(h + self.feed(h))
        return y


class _Rows:
    """Attention written out over elements, which a compiler joins into few passes.

    Tests compare `_Blocks` with it.
    """

    def __init__(self, batch: Tensor, size: int) -> None:
        self.batch, self.size = batch, size

    def gather(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Queries of points see keys and values of elements: (set, point, head, channel).

        Queries are (point, head, channel), keys and values (element, head, channel).
        """
        logits = torch.einsum("phc,ehc->eph", query, key) / query.shape[-1] ** 0.5
        weight = segment_softmax(logits, self.batch, self.size)
        return segment_sum(weight.unsqueeze(-1) * value.unsqueeze(1), self.batch, self.size)

    def spread(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Queries of elements see keys and values of their set.

        Queries are (element, head, channel), keys and values (set, point, head, channel).
        """
        logits = (
            torch.einsum("ehc,ephc->eph", query, key.index_select(0, self.batch))
            / query.shape[-1] ** 0.5
        )
        return torch.einsum("eph,ephc->ehc", logits.softmax(1), value.index_select(0, self.batch))


class _Blocks:
    """The same by matrix products over sets of about equal size.

    Each block is padded to its largest set.
    """

    def __init__(self, batch: Tensor, size: int) -> None:
        element = torch.arange(batch.shape[0], device=batch.device)
        self.sets: Neighbourhoods = neighbourhoods(torch.stack([element, batch]), size)
        self.size = size

    def gather(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        parts = []
        for block in self.sets.blocks:
            places = block.edges.flatten()
            block_key = key.index_select(0, places).unflatten(0, block.slots)
            block_value = value.index_select(0, places).unflatten(0, block.slots)
            parts.append(_attend(query.unsqueeze(0), block_key, block_value, block.mask))
        result = value.new_zeros(self.size, *query.shape)
        return result.index_copy(0, self.sets.nodes, torch.cat(parts)) if parts else result

    def spread(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        parts = []
        for block in self.sets.blocks:
            block_query = query.index_select(0, block.edges.flatten()).unflatten(0, block.slots)
            block_key = key.index_select(0, block.nodes)
            block_value = value.index_select(0, block.nodes)
            heads = _attend(block_query, block_key, block_value, None)
            parts.append(heads.flatten(0, 1) if block.mask is None else heads[block.mask])
        used = [
            block.edges.flatten() if block.mask is None else block.edges[block.mask]
            for block in self.sets.blocks
        ]
        return (
            torch.zeros_like(query).index_copy(0, torch.cat(used), torch.cat(parts))
            if parts
            else query
        )


def _attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """Queries see keys and values of their set where the mask allows it.

    Queries are (set, row, head, channel), keys and values (set, slot, head, channel), the mask
    (set, slot).
    """
    logits = query.transpose(1, 2) @ key.permute(0, 2, 3, 1) / query.shape[-1] ** 0.5
    if mask is not None:
        logits = logits.masked_fill(~mask[:, None, None], float("-inf"))
    return (logits.softmax(-1) @ value.transpose(1, 2)).transpose(1, 2)
