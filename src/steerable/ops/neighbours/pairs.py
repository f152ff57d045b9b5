"""The order in which edges are returned."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

_KEY_BITS = 63


def sorted_pairs(source: Tensor, target: Tensor) -> Tensor:
    """edge_index (2, edge) of pairs, sorted by target, then source."""
    pair = _sorted((target << 32) + source)
    return torch.stack([pair & 0xFFFFFFFF, pair >> 32])


def both_ways(source: Tensor, target: Tensor, shift: Tensor, nodes: int) -> tuple[Tensor, Tensor]:
    """Pairs of which each is given once, from both ends.

    Args:
        source: (pair,)
        target: (pair,)
        shift: (pair, d), the cells that the source is shifted by.
        nodes: number of points.

    Returns:
        edge_index (2, edge) and shifts (edge, d), each pair and its reverse, with the opposite
        shift; sorted by target, then source, then shift.
    """
    largest = int(shift.abs().max()) if len(shift) else 0
    digit, number = (2 * largest).bit_length(), max(nodes - 1, 1).bit_length()
    dim = shift.shape[1]
    low, high = dim * digit, dim * digit + number
    if high + number > _KEY_BITS:
        return _by_columns(source, target, shift)
    # A shift as one number: its digits are counted from the smallest, so none is negative, and
    # those of the opposite shift are the largest minus them, without a carry.
    places = [axis * digit for axis in reversed(range(dim))]
    top = sum(2 * largest << place for place in places)
    j, i, *columns = [_array(column) for column in (source, target, *shift.T)]
    code = sum((column + largest) << place for column, place in zip(columns, places, strict=True))
    forward, reverse = (i << high) + (j << low) + code, (j << high) + (i << low) + (top - code)
    key = _array(_sorted(torch.cat([torch.as_tensor(forward), torch.as_tensor(reverse)])))
    digits = [((key >> place) & ((1 << digit) - 1)) - largest for place in places]
    ends = [(key >> low) & ((1 << number) - 1), key >> high]
    edge_index = torch.stack([torch.as_tensor(column) for column in ends])
    return edge_index, torch.stack([torch.as_tensor(column) for column in digits], dim=1)


def _array(column: Tensor) -> Any:
    """A column as numpy has it on a CPU, where torch takes four times as long to shift bits."""
    return column.numpy() if column.device.type == "cpu" else column


def _by_columns(source: Tensor, target: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
    """`both_ways` where the numbers of an edge do not fit into one."""
    edge_index = torch.stack([torch.cat([source, target]), torch.cat([target, source])])
    shifts = torch.cat([shift, -shift])
    order = torch.arange(len(shifts), device=shifts.device)
    # Stable sorts from the last column to the first.
    for column in (*reversed(shifts.T), edge_index[0], edge_index[1]):
        order = order[torch.sort(column[order], stable=True).indices]
    return edge_index[:, order], shifts[order]


def _sorted(keys: Tensor) -> Tensor:
    # On a CPU by numpy: 3 to 7 times faster than torch.
    if keys.device.type == "cpu":
        return torch.from_numpy(np.sort(keys.numpy()))
    return keys.sort().values
