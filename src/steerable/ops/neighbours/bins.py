"""A cell list in PyTorch: the search of many points on devices other than a CPU."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

_CANDIDATES = 2**24  # pairs whose distances are computed at once
_BINS = 2**15  # along an axis at most, so that the number of a bin fits into 63 bits


class Close(NamedTuple):
    """Pairs within reach, in any order."""

    source: Tensor
    """(pair,)"""
    target: Tensor
    """(pair,)"""
    distance: Tensor
    """(pair,)"""


@torch.no_grad()
def binned_pairs(
    source: Tensor,
    target: Tensor,
    batch_source: Tensor | None,
    batch_target: Tensor | None,
    reach: float,
) -> Close:
    """All pairs of one graph at a distance of `reach` at most.

    Points are sorted into boxes of width `reach`, and those of a box are compared with those of the
    boxes around it, a row of three boxes at a time.

    Args:
        source: points (source, d).
        target: points (target, d).
        batch_source: graph of every source (source,), from 0; all of graph 0 if absent.
        batch_target: graph of every target (target,), likewise.
        reach: in the unit of the points.
    """
    nothing = torch.zeros(0, dtype=torch.long, device=source.device)
    parts = [Close(nothing, nothing, source.new_zeros(0))]
    if len(source) and len(target):
        both = torch.cat([source, target])
        origin = both.amin(0)
        width = ((both.amax(0) - origin) / _BINS).clamp_(min=reach)
        # One empty box around all, so that no row of boxes runs on into the next.
        source_box, target_box = _boxes(source, origin, width), _boxes(target, origin, width)
        sizes = torch.maximum(source_box.amax(0), target_box.amax(0)) + 2
        keys, order = torch.sort(_number(source_box, sizes, batch_source))
        for row in _rows(source.shape[1], source.device):
            first = _number(target_box + row, sizes, batch_target)
            start = torch.searchsorted(keys, first - 1)
            counts = torch.searchsorted(keys, first + 1, right=True) - start
            parts += _compared(source, target, order, start, counts, reach)
    return Close(*[torch.cat(columns) for columns in zip(*parts, strict=True)])


def _boxes(pos: Tensor, origin: Tensor, width: Tensor) -> Tensor:
    return ((pos - origin) / width).floor().long() + 1


def _number(box: Tensor, sizes: Tensor, batch: Tensor | None) -> Tensor:
    """The number of a box (node, d) of the graphs: neighbours along the last axis are in order."""
    number = torch.zeros_like(box[:, 0]) if batch is None else batch
    for axis in range(box.shape[1]):
        number = number * sizes[axis] + box[:, axis]
    return number


def _rows(dim: int, device: torch.device) -> Tensor:
    """The middles of the rows of boxes around one, (3^(d - 1), d)."""
    step = torch.arange(-1, 2, device=device)
    if dim == 1:
        return torch.zeros(1, 1, dtype=torch.long, device=device)
    steps = torch.cartesian_prod(*[step] * (dim - 1)).reshape(-1, dim - 1)
    return torch.cat([steps, torch.zeros_like(steps[:, :1])], dim=1)


def _compared(
    source: Tensor, target: Tensor, order: Tensor, start: Tensor, counts: Tensor, reach: float
) -> list[Close]:
    """Those within reach of `counts` sources (target,) from place `start` of the order."""
    parts = []
    ends = counts.cumsum(0)
    total = int(ends[-1])
    bounds = torch.arange(_CANDIDATES, total + _CANDIDATES, _CANDIDATES, device=ends.device)
    places = torch.searchsorted(ends, bounds, right=True).clamp_(max=len(target)).tolist()
    for low, high in zip([0, *places], places, strict=False):
        count = counts[low:high]
        i = torch.repeat_interleave(torch.arange(low, high, device=ends.device), count)
        rank = torch.arange(len(i), device=i.device) - (ends - counts)[i] + (ends - counts)[low]
        j = order[start[i] + rank]
        distance = torch.linalg.vector_norm(source[j] - target[i], dim=1)
        close = distance <= reach
        parts.append(Close(j[close], i[close], distance[close]))
    return parts
