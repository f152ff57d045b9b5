"""Several features of one field as one feature, copies of an irrep side by side.

Linear mixes them in one product.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ...field import Field, Term


def stacked_field(field: Field, count: int) -> Field:
    """The type of `count` features of `field`.

    Every term that many times, the features one after another in it.
    """
    return Field(field.group, tuple(Term(count * m, irrep) for m, irrep in field))


def stack(parts: Sequence[Tensor], field: Field) -> Tensor:
    """Features (..., field.dim) to one of `stacked_field`."""
    if len(field) < 2:
        return torch.cat(list(parts), -1)
    return torch.cat([part[..., place] for place in field.slices() for part in parts], -1)


def unstack(x: Tensor, field: Field, count: int) -> list[Tensor]:
    """The inverse of `stack`: `count` features (..., field.dim)."""
    if not len(field):  # no pieces, and nothing to part
        return [x] * count
    pieces = x.split([term.dim for term in field for _ in range(count)], -1)
    return [torch.cat(pieces[k::count], -1) if len(field) != 1 else pieces[k] for k in range(count)]
