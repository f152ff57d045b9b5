"""A layer with a scale that it measures, and batches."""

import torch
from torch import nn

from steerable.layers import MeasuredScale


class Sum(MeasuredScale):
    """A linear layer that divides by the root of what it measures."""

    def __init__(self, value=None):
        super().__init__()
        self.weight = nn.Parameter(3 * torch.eye(4))
        self.register_scale("neighbours", value=value)

    def forward(self, x):
        y = x @ self.weight
        if not self.is_measured():
            power = y.double().square().mean() / x.double().square().mean()
            self.measure(power, self.weight.square().sum() / 4)
        return y * self.scale_factor()


def batches(count=2):
    """Batches on which a layer measures different numbers."""
    return [torch.randn(30, 4) * torch.tensor([1.0, 1.0, 1.0, 10.0**k]) for k in range(count)]


def unequal():
    """A layer whose number depends on the batch."""
    layer = Sum()
    with torch.no_grad():
        layer.weight[3, 3] = 1.0
    return layer
