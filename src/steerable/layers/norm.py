"""Normalisation and dropout that keep the symmetry: one number per irrep, never per component."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..constants import ConstantModule
from ..field import Field
from ..groups import Group, group_label
from ..ops import segment_mean
from .activation import copy_to_components, mean_square
from .meaning import Meaningful, unless
from .ranks import follow, mean_of_rows, ranks

_EPS, _RMS_EPS = 1e-5, 1e-6  # added to variances and to mean squares, unless others are given


class RMSNorm(Meaningful, ConstantModule):
    """Every term is divided by its root mean square over copies and components.

    Each copy has a learned weight.

    y_tc = w_tc x_tc / sqrt(mean_c |x_tc|^2 / dim_t + eps) for copy c of term t. No mean is taken
    off, nothing depends on other nodes, and it is smooth at zero.

    Args:
        field: type of input and output.
        eps: added to the mean square.
        group: the group of a field given as text.
    """

    _member: Tensor
    _owner: Tensor

    def __init__(
        self, field: Field | str, eps: float = _RMS_EPS, group: Group | None = None
    ) -> None:
        super().__init__()
        self.field_in = self.field_out = Field.parse(field, group)
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(self.field_in.channels))
        member = torch.zeros(self.field_in.dim, len(self.field_in), dtype=torch.float64)
        for k, place in enumerate(self.field_in.slices()):
            member[place, k] = 1
        size = torch.tensor(
            [t.irrep.dim for t in self.field_in for _ in range(t.multiplicity)], dtype=torch.long
        )
        owner = torch.arange(self.field_in.channels).repeat_interleave(size)
        self.register_constant("_member", member)
        self.register_constant("_owner", owner)

    def forward(self, x: Tensor) -> Tensor:
        """Features (..., field.dim) to the same."""
        self.field_in.check(x, "RMSNorm")
        mean = ((x * x) @ self._member) / self._member.sum(0).clamp(min=1)
        return x * (torch.rsqrt(mean + self.eps) @ self._member.T) * self.weight[self._owner]

    def reset_parameters(self) -> None:
        """Set the weights to 1."""
        nn.init.ones_(self.weight)

    def meaning(self) -> str:
        group = group_label(self.field_in.group)
        return f"{self.field_in}, {group}{unless(_RMS_EPS, 'eps', self.eps)}"


class _Standardise(Meaningful, ConstantModule):
    """(x - m) / sqrt(v + eps) per irrep, then w y + b.

    m is the average of trivial irreps, v that of |x - m|^2 / dim.
    """

    _mean: Tensor
    _spread: Tensor
    _trivial: Tensor

    def __init__(self, field: Field | str, eps: float = _EPS, group: Group | None = None) -> None:
        super().__init__()
        self.field_in = self.field_out = Field.parse(field, group)
        self.eps = eps
        self.register_constant("_mean", mean_square(self.field_in))
        self.register_constant("_spread", copy_to_components(self.field_in))
        trivial = [float(t.irrep.is_trivial) for t in self.field_in for _ in range(t.dim)]
        self.register_constant("_trivial", torch.tensor(trivial, dtype=torch.float64))
        self.weight = nn.Parameter(torch.ones(self.field_in.channels))
        self.bias = nn.Parameter(torch.zeros(self.field_in.channels))

    def statistics(self, x: Tensor, average: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        """Means (..., dim), zero but for trivial irreps, and mean squares (..., channel)."""
        mean = average(x) * self._trivial
        return mean, average((x - mean) ** 2) @ self._mean

    def standardise(self, x: Tensor, mean: Tensor, square: Tensor) -> Tensor:
        """Apply statistics, weight and bias."""
        scale = (torch.rsqrt(square + self.eps) * self.weight) @ self._spread
        return (x - mean) * scale + (self.bias @ self._spread) * self._trivial

    def reset_parameters(self) -> None:
        """Set the weights to 1 and the biases to 0."""
        nn.init.ones_(self.weight)
        nn.init.zeros_(self.bias)

    def meaning(self) -> str:
        group = group_label(self.field_in.group)
        return f"{self.field_in}, {group}{unless(_EPS, 'eps', self.eps)}"


class BatchNorm(_Standardise):
    """Every irrep is divided by its root mean square over the batch.

    Trivial ones lose their mean first.

    y = w (x - m) / sqrt(v + eps) + b with m and v averaged over all rows in training (and followed
    with `momentum`), and their running values in eval. With more than one rank, the rows of all
    ranks count, as in `torch.nn.SyncBatchNorm`: in training all ranks have to call the layer. What
    is not finite does not enter the running values.

    Args:
        field: type of input and output.
        eps: added to the mean square.
        momentum: share of a new batch in the running values.
        group: the group of a field given as text.

    Source: Weiler et al. 2018, arXiv:1807.02547 (appendix).
    """

    running_mean: Tensor
    running_square: Tensor

    def __init__(
        self,
        field: Field | str,
        eps: float = _EPS,
        momentum: float = 0.1,
        group: Group | None = None,
    ) -> None:
        super().__init__(field, eps, group)
        self.momentum = momentum
        self.register_buffer("running_mean", torch.zeros(self.field_in.dim))
        self.register_buffer("running_square", torch.ones(self.field_in.channels))

    def forward(self, x: Tensor) -> Tensor:
        """Features (..., field.dim) to the same."""
        self.field_in.check(x, "BatchNorm")
        if not self.training or (x.numel() == 0 and ranks() == 1):
            return self.standardise(x, self.running_mean, self.running_square)
        mean, square = self.statistics(x.flatten(0, -2), mean_of_rows)
        follow(self.running_mean, mean[0], self.momentum)
        follow(self.running_square, square[0], self.momentum)
        return self.standardise(x, mean, square)

    def reset_parameters(self) -> None:
        """Set the weights to 1 and the biases to 0, and forget the running values."""
        super().reset_parameters()
        nn.init.zeros_(self.running_mean)
        nn.init.ones_(self.running_square)


class InstanceNorm(_Standardise):
    """BatchNorm with the statistics of every graph by itself, the same in training and eval.

    Args:
        field: type of input and output.
        eps: added to the mean square.
        group: the group of a field given as text.
    """

    def forward(self, x: Tensor, batch: Tensor | None = None, size: int | None = None) -> Tensor:
        """Normalise.

        Args:
            x: features (node, field.dim).
            batch: graph of every node (node,); one graph if absent.
            size: number of graphs; by default the largest in `batch` plus one.
        """
        self.field_in.check(x, "InstanceNorm")
        if batch is None:
            batch, size = torch.zeros(x.shape[0], dtype=torch.long, device=x.device), 1
        graphs = size or (int(batch.max()) + 1 if len(batch) else 0)
        mean, square = self.statistics(
            x, lambda rows: segment_mean(rows, batch, graphs).index_select(0, batch)
        )
        return self.standardise(x, mean, square)


class LayerNorm(_Standardise):
    """RMSNorm that also centres every term of trivial irreps, and adds a bias.

    The mean is taken over the copies.

    Args:
        field: type of input and output.
        eps: added to the mean square.
        group: the group of a field given as text.
    """

    _member: Tensor

    def __init__(self, field: Field | str, eps: float = _EPS, group: Group | None = None) -> None:
        super().__init__(field, eps, group)
        copies = torch.zeros(self.field_in.dim, self.field_in.dim, dtype=torch.float64)
        for place in self.field_in.slices():
            copies[place, place] = 1 / max(place.stop - place.start, 1)
        self.register_constant("_member", copies)

    def forward(self, x: Tensor) -> Tensor:
        """Features (..., field.dim) to the same."""
        self.field_in.check(x, "LayerNorm")
        mean, square = self.statistics(x, lambda rows: rows @ self._member)
        return self.standardise(x, mean, square)


class Dropout(ConstantModule):
    """Whole irreps are set to zero with probability `p` in training, the others divided by 1 - p.

    Args:
        field: type of input and output.
        p: probability, at least 0 and below 1.
        group: the group of a field given as text.
    """

    _spread: Tensor

    def __init__(self, field: Field | str, p: float = 0.5, group: Group | None = None) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"Dropout needs a probability of at least 0 and below 1; got {p}.")
        self.field_in = self.field_out = Field.parse(field, group)
        self.p = p
        self.register_constant("_spread", copy_to_components(self.field_in))

    def forward(self, x: Tensor) -> Tensor:
        """Features (..., field.dim) to the same."""
        self.field_in.check(x, "Dropout")
        if not self.training or self.p == 0:
            return x
        keep = torch.rand(*x.shape[:-1], self.field_in.channels, device=x.device) >= self.p
        return x * (keep.to(x.dtype) @ self._spread) / (1 - self.p)

    def extra_repr(self) -> str:
        return f"{self.field_in}, {self.field_in.group}, p={self.p}"
