"""Ragged batches at the door: which set every element belongs to, checked once."""

from __future__ import annotations

import torch
from torch import Tensor

from ...tracing import is_traced


def check_sets(owner: str, x: Tensor, batch: Tensor | None, size: int | None) -> tuple[Tensor, int]:
    """The set of every element, and the number of sets.

    Args:
        owner: who asks, for the text of errors.
        x: anything with one row per element, (element,) or (element, channel).
        batch: set of every element (element,), in any order; one set if absent.
        size: number of sets; the largest in `batch` plus one if absent. Give it where the last sets
            may be empty, and to compile.

    Raises:
        ValueError: padded sets, a batch that does not fit, or a set beyond the size.
    """
    if x.dim() > 2:
        raise ValueError(
            f"{owner} takes the elements of all sets one behind the other, (element, channel); got "
            f"{tuple(x.shape)}. Of padded sets take x[mask] and batch = mask.nonzero()[:, 0]."
        )
    if batch is None:
        return torch.zeros(x.shape[0], dtype=torch.long, device=x.device), size or 1
    if batch.shape != x.shape[:1] or batch.dtype not in (torch.long, torch.int):
        raise ValueError(
            f"{owner} needs the set of each of the {len(x)} elements, as integers ({len(x)},); got "
            f"{batch.dtype} {tuple(batch.shape)}."
        )
    if is_traced(batch) and size is not None:
        return batch, size
    if torch.compiler.is_exporting():
        raise ValueError(
            f"{owner} finds the number of sets in the batch, which an exported program cannot: "
            "pass size."
        )
    low, high = (int(end) for end in batch.aminmax()) if batch.shape[0] else (0, -1)
    if low < 0 or (size is not None and high >= size):
        wanted = "" if size is None else f" to {size - 1}"
        raise ValueError(
            f"{owner} numbers the sets from 0{wanted}; got set {low if low < 0 else high}. Pass "
            "size."
        )
    return batch, high + 1 if size is None else size


def check_sorted(owner: str, batch: Tensor) -> None:
    """Raise ValueError unless the elements of every set are side by side, set after set."""
    if not is_traced(batch) and bool((batch[1:] < batch[:-1]).any()):
        raise ValueError(
            f"{owner} needs the elements set after set; `batch` is not sorted. Sort elements and "
            "batch by torch.argsort(batch, stable=True)."
        )


def check_occupied(owner: str, batch: Tensor, size: int) -> None:
    """Raise ValueError if a set has no elements."""
    if is_traced(batch):
        return
    empty = torch.nonzero(torch.bincount(batch, minlength=size) == 0).flatten()
    if len(empty):
        raise ValueError(
            f"{owner} takes maxima, which an empty set does not have; sets {empty[:5].tolist()} of "
            f"{size} are empty. Leave them out, or take sums or means."
        )


def check_numbers(owner: str, x: Tensor) -> None:
    """Raise ValueError if a row of `x` (element, ...) holds NaN or infinity."""
    if is_traced(x) or torch.isfinite(x.sum()):  # one number: a sum shows either
        return
    rows = torch.nonzero(~torch.isfinite(x).flatten(1).all(1)).flatten()
    if len(rows):
        raise ValueError(
            f"{owner} needs finite features; those of elements {rows[:5].tolist()} are NaN or "
            "infinite. Leave them out."
        )


def check_aggregation(
    owner: str, x: Tensor, index: Tensor | None, ptr: Tensor | None, size: int | None, dim: int
) -> tuple[Tensor, int]:
    """The set of every element, and the number of sets.

    Both are computed from the arguments of an Aggregation of PyG.

    Raises:
        ValueError: elements that are no rows of a matrix, or an index that does not fit them.
    """
    if x.dim() != 2 or dim not in (-2, 0):
        raise ValueError(
            f"{owner} pools the rows of features (element, channel); got {tuple(x.shape)}, "
            f"dim={dim}."
        )
    if index is None and ptr is not None:
        index = torch.arange(ptr.shape[0] - 1, device=x.device).repeat_interleave(ptr.diff())
        size = ptr.shape[0] - 1
    return check_sets(owner, x, index, size)
