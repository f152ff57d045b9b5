"""The moments of neighbourhoods: what is summed over neighbours before any weight is applied."""

from __future__ import annotations

import torch
from torch import Tensor


def moments(weight: Tensor, features: Tensor) -> Tensor:
    """A[i, r, c] = sum over slots s and components m of weight[i, s, r, m] features[i, s, m, c].

    Args:
        weight: (node, slot, row, component), zero in unused slots.
        features: of the neighbours (node, slot, component, channel).

    Returns:
        (node, row, channel).
    """
    left = weight.transpose(1, 2).flatten(2)
    return torch.bmm(left, features.flatten(1, 2))
