"""All pairs of the points of a graph at once: the search on devices other than a CPU."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ..clouds import Clouds, clouds
from .pairs import sorted_pairs

_DENSE_PAIRS = 16_000_000


class AllPairs(NamedTuple):
    """The distances of all pairs within the graphs of a batch, and whose they are."""

    distance: Tensor
    """(graph, target, source), infinite where there is no pair."""
    sources: Tensor
    """(graph, slot)"""
    targets: Tensor
    """(graph, slot)"""

    def edges(self, graph: Tensor, target: Tensor, source: Tensor) -> Tensor:
        return sorted_pairs(self.sources[graph, source], self.targets[graph, target])


def _compares_all(pos: Tensor) -> bool:
    """Whether to compare all pairs: on a CPU the tree measured faster at every size."""
    return pos.device.type != "cpu"


def _shared_slots(points: Clouds, numbers: Tensor) -> tuple[Tensor, Tensor]:
    """The slots of those clouds whose numbers are among `numbers`, and which slots are taken."""
    shared = torch.isin(points.numbers, numbers)
    places, taken = points.slots()
    return places[shared], taken[shared]


@torch.no_grad()
def all_pairs(
    source: Tensor, target: Tensor, batch_source: Tensor | None, batch_target: Tensor | None
) -> AllPairs | None:
    """The distances of all pairs of one graph; None where the tree is to search."""
    if not _compares_all(source):
        return None
    sets = clouds(batch_source, source), clouds(batch_target, target)
    if len(sets[0].numbers) * sets[0].widest * sets[1].widest > _DENSE_PAIRS:
        return None
    j, is_source = _shared_slots(sets[0], sets[1].numbers)
    i, is_target = _shared_slots(sets[1], sets[0].numbers)
    distance = torch.linalg.vector_norm(source[j][:, None] - target[i][:, :, None], dim=-1)
    pair = is_target[:, :, None] & is_source[:, None]
    return AllPairs(distance.masked_fill(~pair, float("inf")), j, i)
