"""A network of pictures as a function of places in the plane, to certify its symmetry."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..certify import POSITIONS, Role
from ..groups import Group, cyclic, dihedral
from .certifiable import Claim

_DOTS = 6  # in each picture


class Dots(nn.Module):
    """A network on pictures of soft dots about their centroid.

    It is a function of the places of the dots.

    Args:
        model: pictures (picture, height, width) to logits (picture, classes).
        size: height and width of the pictures.
    """

    def __init__(self, model: nn.Module, size: int) -> None:
        super().__init__()
        self.model, self.size = model, size

    def forward(self, pos: Tensor, batch: Tensor) -> Tensor:
        """Places (dot, 2) in points and pictures (dot,) to logits (picture, classes).

        `batch` is the number of the picture of every dot.
        """
        count = int(batch.max()) + 1
        dots = pos.new_zeros(count, self.size, self.size)
        middle = torch.stack([pos[batch == k].mean(0) for k in range(count)])
        axis = torch.arange(self.size, dtype=pos.dtype, device=pos.device) - self.size // 2
        along = torch.exp(-((axis - (pos - middle[batch]).unsqueeze(-1)) ** 2) / 4)
        result: Tensor = self.model(
            dots.index_add(0, batch, along[:, 0, :, None] * along[:, 1, None, :])
        )
        return result


def dots_claim(model: nn.Module, group: Group, size: int) -> Claim:
    """The claim that a network does not see how pictures of dots are turned.

    The group is reduced to a subgroup that keeps the grid, under which the network is exact.

    Args:
        model: pictures (picture, height, width) to logits (picture, classes).
        group: of the plane.
        size: height and width of the pictures.
    """
    exact = [dihedral(4), cyclic(4), dihedral(2), cyclic(2), dihedral(1)]
    subgroup = next((candidate for candidate in exact if candidate.subgroup_of(group)), cyclic(1))
    generator = torch.Generator().manual_seed(0)
    places = 0.25 * size * torch.randn(2 * _DOTS, 2, generator=generator)
    picture = torch.arange(2).repeat_interleave(_DOTS)
    inputs = [(places, POSITIONS), (picture, Role())]
    return Claim(Dots(model, size), inputs, Role(rows="graph"), subgroup)
