"""The order in which edges are returned."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def sorted_pairs(source: Tensor, target: Tensor) -> Tensor:
    """edge_index (2, edge) of pairs, sorted by target, then source."""
    pair = (target << 32) + source
    # On a CPU by numpy: 3 to 7 times faster than torch.
    pair = (
        torch.from_numpy(np.sort(pair.numpy())) if pair.device.type == "cpu" else pair.sort().values
    )
    return torch.stack([pair & 0xFFFFFFFF, pair >> 32])
