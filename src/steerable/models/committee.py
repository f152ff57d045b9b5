"""Several networks of one task, as one network."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from .outputs import named_outputs


class Committee(nn.Module):
    """The mean of what several networks return, by name.

    Args:
        members: networks with the same inputs and outputs.
    """

    def __init__(self, members: Iterable[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, *inputs: Tensor | None) -> dict[str, Tensor]:
        results = [named_outputs(member(*inputs)) for member in self.members]
        return {
            name: torch.stack([result[name] for result in results]).mean(0) for name in results[0]
        }
