"""Filters joined to one: kernels and differential operators in one convolution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from ..field import Field, require_same_group
from ..layers import reset_children
from .filter import Filter, filter_details, filter_line


class JointFilter(nn.Module):
    """h = (h_1, h_2, ...): the distribution that has all channels of several filters.

    A convolution with a kernel and a differential operator at once, for example: smooth functions
    and derivatives of the delta are steerable distributions alike, and so are their sums. Its one
    channel holds the channels of all.

    Args:
        filters: the filters, modules; attributes are those of the first, then those of the second,
            ...

    Raises:
        FieldMismatchError: filters of different groups.
    """

    def __init__(self, filters: Sequence[Filter]) -> None:
        super().__init__()
        group = require_same_group("JointFilter", *(filter.field for filter in filters))
        self.filters = nn.ModuleList(filters)  # type: ignore[arg-type]
        self.field, self.attributes, self.channels = Field(group, ()), Field(group, ()), 1
        for filter in filters:
            self.field = self.field + filter.field * filter.channels
            self.attributes = self.attributes + filter.attributes
        self._widths = [filter.attributes.dim for filter in filters]

    def forward(self, offset: Tensor, attributes: Tensor | None = None) -> Tensor:
        """Relative positions (edge, d) and attributes to (edge, 1, field.dim).

        The attributes are (edge, attributes.dim).
        """
        parts = zip(self.filters, self._split(attributes), strict=True)
        return torch.cat(
            [filter(offset, numbers).flatten(1) for filter, numbers in parts], 1
        ).unsqueeze(1)

    def on_grid(
        self,
        size: int,
        sample: Callable[[Filter, Tensor | None], Tensor],
        attributes: Tensor | None,
    ) -> Tensor:
        """The values at all offsets of a stencil of `size` points along every axis.

        See `filters.GridFilter`.
        """
        parts = zip(self.filters, self._split(attributes), strict=True)
        values = [sample(cast(Filter, filter), numbers).flatten(2) for filter, numbers in parts]
        samples = 1 if attributes is None else attributes.shape[0]
        return torch.cat([part.expand(samples, -1, -1) for part in values], 2).unsqueeze(2)

    def reset_parameters(self) -> None:
        """Draw new weights."""
        reset_children(self)

    def details(self) -> str:
        """The filters among these whose states are empty."""
        parts = [cast(Filter, filter) for filter in self.filters if not filter.state_dict()]
        return "; ".join(filter_line(part) + f" {filter_details(part)}".rstrip() for part in parts)

    def extra_repr(self) -> str:
        return f"{self.field} of {self.field.group}"

    def _split(self, attributes: Tensor | None) -> Sequence[Tensor | None]:
        if attributes is None:
            return [None] * len(self._widths)
        self.attributes.check(attributes, "JointFilter", "attributes")
        return [part if part.shape[-1] else None for part in attributes.split(self._widths, -1)]
