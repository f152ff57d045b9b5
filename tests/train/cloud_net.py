"""A network for clouds that is small enough to train in a second."""

import torch
from torch import nn

from steerable.groups import named_group


class CloudNet(nn.Module):
    """The mean over points of functions of invariants.

    Of the distance, and of the height where an axis is kept.
    """

    def __init__(self, classes, group="O(3)", **_):
        super().__init__()
        self.axial = named_group(group).axis is not None
        self.point = nn.Sequential(nn.Linear(2, 16), nn.SiLU(), nn.Linear(16, 16), nn.SiLU())
        self.head = nn.Sequential(nn.Dropout(0.1), nn.Linear(16, classes))

    def forward(self, pos, batch=None):
        batch = torch.zeros(len(pos), dtype=torch.long) if batch is None else batch
        clouds = int(batch.max()) + 1
        count = torch.bincount(batch, minlength=clouds)[:, None].to(pos)
        centre = pos.new_zeros(clouds, 3).index_add(0, batch, pos) / count
        offset = pos - centre[batch]
        height = offset[:, 2:] if self.axial else offset.square().sum(1, keepdim=True)
        x = self.point(3 * torch.cat([offset.square().sum(1, keepdim=True), height], 1))
        return self.head(x.new_zeros(clouds, x.shape[1]).index_add(0, batch, x) / count)
