"""Normalisation of signals on the sphere and on the rotations.

Of whole signals, so that spectra keep their shape.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..meaning import Meaningful, unless
from ..ranks import follow, mean_of_rows, ranks
from .signals import SphereSignals

_EPS = 1e-5  # added to variances, unless another is given


class SphereBatchNorm(Meaningful):
    """y = w (f - m) / sqrt(v + eps) + b per channel.

    m and v are mean and variance over the batch and all points.

    Both are read from the coefficients, m from degree 0 and v as the sum of all squares: no grid,
    and exact. Every channel has one v, whereas BatchNorm, with a v for every degree, would raise
    the high degrees to the height of the low ones. Ranks and what is not finite as in BatchNorm.

    Args:
        signals: type of input and output.
        eps: added to the variance.
        momentum: share of a new batch in the running values.
    """

    running_mean: Tensor
    running_square: Tensor

    def __init__(self, signals: SphereSignals, eps: float = _EPS, momentum: float = 0.1) -> None:
        super().__init__()
        self.signals, self.eps, self.momentum = signals, eps, momentum
        self.field_in = self.field_out = signals.field
        self._has_mean = 0 in signals.layout.orders  # then degree 0 is the first coefficient
        self.weight = nn.Parameter(torch.ones(signals.channels))
        self.bias = nn.Parameter(torch.zeros(signals.channels))
        self.register_buffer("running_mean", torch.zeros(signals.channels))
        self.register_buffer("running_square", torch.ones(signals.channels))

    def forward(self, x: Tensor) -> Tensor:
        """Features (..., field.dim) to the same."""
        self.field_in.check(x, "SphereBatchNorm")
        f = self.signals.coefficients(x)
        mean, square = self.running_mean, self.running_square
        if self.training and (x.numel() or ranks() > 1):
            rows = f.reshape(-1, *f.shape[-2:])
            mean = mean_of_rows(rows[..., 0])[0] if self._has_mean else torch.zeros_like(mean)
            square = mean_of_rows(rows.square().sum(-1))[0] - mean.square()
            follow(self.running_mean, mean, self.momentum)
            follow(self.running_square, square, self.momentum)
        scale = self.weight * torch.rsqrt(square + self.eps)
        constant = (self.bias - scale * mean).unsqueeze(-1) if self._has_mean else f.new_zeros(0)
        y = f * scale.unsqueeze(-1)
        return self.signals.join(
            y + nn.functional.pad(constant, (0, f.shape[-1] - constant.shape[-1]))
        )

    def reset_parameters(self) -> None:
        """Set the weights to 1 and the biases to 0, and forget the running values."""
        nn.init.ones_(self.weight)
        nn.init.zeros_(self.bias)
        nn.init.zeros_(self.running_mean)
        nn.init.ones_(self.running_square)

    def meaning(self) -> str:
        return f"{self.signals}{unless(_EPS, 'eps', self.eps)}"
