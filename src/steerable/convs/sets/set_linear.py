"""The linear map of sets that commutes with every permutation of their elements."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ...field import Field, FieldError
from ...groups import Group, group_label
from ...layers import Linear, Meaningful
from ...ops import segment_max, segment_mean, segment_sum
from ...tracing import is_traced, transforms_active
from .ragged import check_sets

_BLOCK_ROWS = (
    8192  # on a CPU: what a block adds to its rows is still in the cache when it is multiplied
)


class SetLinear(Meaningful):
    """y_i = A (x_i - m) + B m + b with m the mean over the elements of the set of i.

    Invariant features may take the maximum in place of the mean m.

    Functions on a set are a trivial irrep of the permutations S_n, the mean, and the standard one,
    what deviates from it. By Schur's lemma each has a map of its own, and features of a field of G
    one of every irrep of G: this is every linear map that commutes with S_n x G. It does not depend
    on the size of a set, and if the x_i are independent and of unit variance then so are the y_i,
    exactly. A set without elements has no rows: nothing to define.

    Computed as x A + (m (B - A) + b)[set of i]: one large matrix product, which the other terms
    join block by block.

    Args:
        field_in: type of the input, a Field or its text (of O(3) unless `group` is given).
        field_out: type of the output.
        pool: m is the `mean`, or the `max` of every component (invariant input alone).
        bias: whether trivial irreps get a bias, 0 at the start.
        group: the group of fields given as text.

    Raises:
        FieldError: a maximum of features that are not invariant.
        ValueError: another pool.

    Source: Zaheer et al. 2017 (Deep Sets), arXiv:1703.06114, eq. 4, there with A = lambda and B =
    lambda + n gamma.
    """

    def __init__(
        self,
        field_in: Field | str,
        field_out: Field | str,
        pool: str = "mean",
        bias: bool = True,
        group: Group | None = None,
    ) -> None:
        super().__init__()
        if pool not in ("mean", "max"):
            raise ValueError(f"pool is 'mean' or 'max'; got {pool!r}.")
        self.deviation = Linear(field_in, field_out, bias=False, group=group)
        self.common = Linear(field_in, field_out, bias=bias, group=group)
        self.field_in, self.field_out = self.deviation.field_in, self.deviation.field_out
        self.pool = pool
        if pool == "max" and not self.field_in.is_invariant:
            raise FieldError(
                f"A maximum keeps invariant fields only; got {self.field_in}. Take the mean."
            )

    def forward(self, x: Tensor, batch: Tensor | None = None, size: int | None = None) -> Tensor:
        """Map.

        Args:
            x: features (element, field_in.dim).
            batch: set of every element (element,), in any order; one set if absent. Sorted is
                faster.
            size: number of sets; by default the largest in `batch` plus one. Give it to compile.

        Returns:
            (element, field_out.dim).
        """
        self.field_in.check(x, "SetLinear")
        batch, size = check_sets("SetLinear", x, batch, size)
        if self.pool == "mean" and self.deviation.is_dense and not _is_rewritten(x):
            deviation, common = self.deviation.matrix(), self.common.matrix()
            bias = self.common(x.new_zeros(self.field_in.dim))
            if not transforms_active((x, deviation, common, bias)):
                sets = _Sets(batch, size)
                mean = sets.sum(x) / sets.count
                y: Tensor = _SetProduct.apply(x, mean, deviation, common - deviation, bias, sets)
                return y
        pooled = (segment_mean if self.pool == "mean" else segment_max)(x, batch, size)
        return self.deviation(x) + (self.common(pooled) - self.deviation(pooled)).index_select(
            0, batch
        )

    def meaning(self) -> str:
        group = group_label(self.field_in.group)
        return f"{self.field_in} -> {self.field_out}, {group}, pool={self.pool!r}"


def _is_rewritten(x: Tensor) -> bool:
    """Whether PyTorch rewrites the operations: a compiler, which joins them itself, or autocast."""
    return is_traced(x) or torch.is_autocast_enabled(x.device.type)


class _SetProduct(torch.autograd.Function):
    """L(x) = x A + (mean(x) S + b)[set], whose adjoint is of the same form.

    L*(g) = g A^T + (mean(g) S^T)[set].

    So the backward pass costs no more than its matrix products either, and can be differentiated
    again. `mean` is that of x, handed over; its part of the gradient is in that of x.
    """

    @staticmethod
    def forward(
        x: Tensor, mean: Tensor, deviation: Tensor, shared: Tensor, bias: Tensor, sets: _Sets
    ) -> Tensor:
        return _shifted_product(x, deviation, torch.addmm(bias, mean, shared), sets.batch)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        x, mean, deviation, shared, _, ctx.sets = inputs
        ctx.save_for_backward(x, mean, deviation, shared)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, mean, deviation, shared = ctx.saved_tensors
        total = ctx.sets.sum(gradient)
        into_x = None
        if ctx.needs_input_grad[0]:
            nothing = gradient.new_zeros(deviation.shape[0])
            into_x = _SetProduct.apply(
                gradient, total / ctx.sets.count, deviation.T, shared.T, nothing, ctx.sets
            )
        return into_x, None, x.T @ gradient, mean.T @ total, total.sum(0), None


class _Sets:
    """Sums over sets, and the numbers of their elements (set, 1), at least 1."""

    def __init__(self, batch: Tensor, size: int) -> None:
        self.batch, self.size = batch, size
        count = torch.bincount(batch, minlength=size)
        self.count, self.first = count.clamp(min=1).unsqueeze(1), count.cumsum(0) - count
        self.is_sorted = batch.device.type == "cpu" and bool((batch[1:] >= batch[:-1]).all())

    def sum(self, x: Tensor) -> Tensor:
        if self.is_sorted and x.dtype == torch.float32:  # in float64 it is slower
            total: Tensor = _SortedSum.apply(x, self.batch, self.first)
            return total
        return segment_sum(x, self.batch, self.size)


class _SortedSum(torch.autograd.Function):
    """The sum of the rows of every set where they lie side by side.

    Twice as fast as to add row by row.
    """

    @staticmethod
    def forward(x: Tensor, batch: Tensor, first: Tensor) -> Tensor:
        return torch.nn.functional.embedding_bag(torch.arange(x.shape[0]), x, first, mode="sum")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        ctx.save_for_backward(inputs[1])
        ctx.set_materialize_grads(False)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor | None) -> tuple[Tensor | None, None, None]:
        return (
            None if gradient is None else gradient.index_select(0, *ctx.saved_tensors),
            None,
            None,
        )


def _shifted_product(x: Tensor, matrix: Tensor, shift: Tensor, batch: Tensor) -> Tensor:
    """`x A + shift[set]`, a block of rows at a time."""
    y = x.new_empty(x.shape[0], matrix.shape[1])
    rows = _BLOCK_ROWS if x.device.type == "cpu" else max(x.shape[0], 1)
    for start in range(0, x.shape[0], rows):
        block = slice(start, start + rows)
        torch.index_select(shift, 0, batch[block], out=y[block]).addmm_(x[block], matrix)
    return y
