"""Networks on sets: of one result a set (deep sets), or of one per element."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ..convs import InducedSetAttention, Pool, SetLinear
from ..convs.sets import check_numbers, check_occupied, check_sets
from ..field import Field, FieldError, invariant_field
from ..groups import Group
from ..layers import MLP, Gate, Linear, Meaningful, RMSNorm

if TYPE_CHECKING:
    from torch_geometric.nn.aggr import Aggregation

MIXING = ("mean", "max", "attention")


class DeepSets(Meaningful):
    """y = rho(pool over i of phi(x_i)), with equivariant multilayer perceptrons phi and rho.

    One result a set.

    It does not change when the elements are permuted, and turns with G. Of invariants it is
    universal with sums if phi has as many channels as the largest set elements, and with maxima it
    is PointNet.

    Args:
        field_in: type of the elements, a Field or its text (of O(3) unless `group` is given).
        hidden: type of the hidden features, also of what is pooled.
        field_out: type of the result.
        layers: linear maps of phi and of rho; one map of rho and a sum make a result that adds up
            over elements.
        pool: `sum`, `mean`, `max` (invariant `hidden`; a set without elements is an error), or an
            Aggregation of PyTorch Geometric (invariant `hidden`), such as SortPoolAggregation or a
            MultiAggregation.
        activation: of the perceptrons, see MLP.
        group: the group of fields given as text.

    Raises:
        FieldError: an aggregation that would break the symmetry of the hidden field.

    Source: Zaheer et al. 2017 (Deep Sets), arXiv:1703.06114, theorem 2; Qi et al. 2017 (PointNet),
    arXiv:1612.00593.
    """

    def __init__(
        self,
        field_in: Field | str,
        hidden: Field | str,
        field_out: Field | str,
        layers: tuple[int, int] = (3, 2),
        pool: str | Aggregation = "sum",
        activation: str = "gate",
        group: Group | None = None,
    ) -> None:
        super().__init__()
        self.field_in, self.field_out = Field.parse(field_in, group), Field.parse(field_out, group)
        inner = Field.parse(hidden, group)
        self.pool = Pool(inner, pool)
        self.element = MLP(self.field_in, inner, 1, inner, layers[0], activation)
        self.set = MLP(_pooled(self.pool), inner, 1, self.field_out, layers[1], activation)

    def forward(self, x: Tensor, batch: Tensor | None = None, size: int | None = None) -> Tensor:
        """Evaluate.

        Args:
            x: features (element, field_in.dim).
            batch: set of every element (element,); one set if absent. In any order, unless the
                Aggregation forbids it.
            size: number of sets; by default the largest in `batch` plus one. Give it to compile.

        Returns:
            (set, field_out.dim).

        Raises:
            ValueError: NaN, a batch that does not fit, or the maximum of an empty set.
        """
        self.field_in.check(x, "DeepSets")
        check_numbers("DeepSets", x)
        batch, size = check_sets("DeepSets", x, batch, size)
        if self.pool.aggregation == "max":
            check_occupied("DeepSets", batch, size)
        y: Tensor = self.set(self.pool(self.element(x), batch, size))
        return y

    def meaning(self) -> str:
        return f"{self.field_in} -> {self.field_out}, pool={self.pool.name}"


class SetNet(nn.Module):
    """One result per element: layers x + gate(SetLinear(norm x)), and a last map of every element.

    It commutes with permutations of every set and with G: the elements of a set see each other by
    their mean, by their maximum, or by attention.

    Args:
        field_in: type of the elements, a Field or its text (of O(3) unless `group` is given).
        hidden: type of the hidden features.
        field_out: type of the results.
        layers: how many times the elements see each other.
        mixing: `mean` or `max` of SetLinear, or `attention` of InducedSetAttention; the last two of
            invariants alone.
        group: the group of fields given as text.

    Raises:
        FieldError: hidden features that are not invariant, for maxima and attention.
        ValueError: another mixing.
    """

    def __init__(
        self,
        field_in: Field | str,
        hidden: Field | str,
        field_out: Field | str,
        layers: int = 3,
        mixing: str = "mean",
        group: Group | None = None,
    ) -> None:
        super().__init__()
        if mixing not in MIXING:
            raise ValueError(f"mixing is one of {', '.join(MIXING)}; got {mixing!r}.")
        self.field_in, self.field_out = Field.parse(field_in, group), Field.parse(field_out, group)
        inner = Field.parse(hidden, group)
        if mixing != "mean" and not inner.is_invariant:
            raise FieldError(
                f"The mixing {mixing!r} keeps invariant fields only; got {inner}. Take 'mean'."
            )
        self.first = Linear(self.field_in, inner)
        self.mixing = nn.ModuleList(
            InducedSetAttention(inner.dim) if mixing == "attention" else _Mixing(inner, mixing)
            for _ in range(layers)
        )
        self.last = nn.Sequential(RMSNorm(inner), MLP(inner, inner, 1, self.field_out, 2))

    def forward(self, x: Tensor, batch: Tensor | None = None, size: int | None = None) -> Tensor:
        """Features (element, field_in.dim) of sets, in any order, to (element, field_out.dim).

        The sets are given by `batch` (element,).

        Raises:
            ValueError: NaN, or a batch that does not fit.
        """
        self.field_in.check(x, "SetNet")
        check_numbers("SetNet", x)
        batch, size = check_sets("SetNet", x, batch, size)
        x = self.first(x)
        for mixing in self.mixing:
            x = mixing(x, batch, size)
        y: Tensor = self.last(x)
        return y


class _Mixing(nn.Module):
    """x + gate(SetLinear(norm x))."""

    def __init__(self, field: Field, pool: str) -> None:
        super().__init__()
        self.norm, self.gate = RMSNorm(field), Gate(field)
        self.linear = SetLinear(field, self.gate.field_in, pool)

    def forward(self, x: Tensor, batch: Tensor, size: int) -> Tensor:
        y: Tensor = x + self.gate(self.linear(self.norm(x), batch, size))
        return y


@torch.no_grad()
def _pooled(pool: Pool) -> Field:
    """The type of what is pooled, found by trial.

    Some Aggregations of PyTorch Geometric change the channels.
    """
    field = pool.field_out
    if not field.is_invariant:
        return field
    one_set = torch.zeros(2, dtype=torch.long)
    width = pool(torch.zeros(2, field.dim), one_set, 1).shape[-1]
    return field if width == field.dim else invariant_field(field.group, width)
