"""Normalisation that keeps the symmetry."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..field import Field
from ..groups import Group
from .constants import ConstantModule


class RMSNorm(ConstantModule):
    """Every term is divided by its root mean square over copies and components; each copy has a learned weight.

    y_tc = w_tc x_tc / sqrt(mean_c |x_tc|^2 / dim_t + eps) for copy c of term t. No mean is taken off, nothing
    depends on other nodes, and it is smooth at zero.

    Args:
        field: type of input and output.
        eps: added to the mean square.
        group: the group of a field given as text.
    """

    _member: Tensor
    _owner: Tensor

    def __init__(self, field: Field | str, eps: float = 1e-6, group: Group | None = None) -> None:
        super().__init__()
        self.field_in = self.field_out = Field.parse(field, group)
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(self.field_in.channels))
        member = torch.zeros(self.field_in.dim, len(self.field_in), dtype=torch.float64)
        for k, place in enumerate(self.field_in.slices()):
            member[place, k] = 1
        size = torch.tensor([t.irrep.dim for t in self.field_in for _ in range(t.multiplicity)], dtype=torch.long)
        owner = torch.arange(self.field_in.channels).repeat_interleave(size)
        self.register_constant("_member", member)
        self.register_constant("_owner", owner)

    def forward(self, x: Tensor) -> Tensor:
        """Features (..., field.dim) to the same."""
        self.field_in.check(x, "RMSNorm")
        mean = ((x * x) @ self._member) / self._member.sum(0).clamp(min=1)
        return x * (torch.rsqrt(mean + self.eps) @ self._member.T) * self.weight[self._owner]
