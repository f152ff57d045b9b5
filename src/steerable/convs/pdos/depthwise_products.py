"""Operators whose coefficients are made of the features at every point.

The features are functions on finite groups.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...constants import ConstantModule
from ...field import Field, FieldMismatchError, Term, require_same_group
from ...groups import Group, Irrep, decompose, group_label, quotient, trivial
from ...layers import SILU_GAIN, Linear, Meaningful
from .tensor_products import Differentiate, unit_mean_square


class DepthwiseProducts(Meaningful, ConstantModule):
    """y = L (sum over k of w_k(f)(s) P_k(d) f(s)).

    Features are functions of s in a finite group G or G / H.

    The group permutes the values f(s), so coefficients may multiply them one by one: w(f) is a
    function of s whose values turn as derivatives do. It is made by a Linear, SiLU of the values
    and, for each of `channels` groups of the functions, which share it, a Linear; and it is divided
    by its root mean square. L is a Linear.

    Args:
        field_filter: V_h, the irreps of the derivatives.
        field_in: functions on G / H, each all of its irreps: a `function_field`, or any field of as
            many of each.
        field_out: type of the result y.
        channels: groups of functions that have coefficients of their own, each by its own part of
            the hidden layer.
        hidden: functions in the hidden layer; by default as many as the input has.
        subgroup: H, by default the trivial one.

    Raises:
        FieldMismatchError: fields of different groups, or an input that is no functions on G / H.
        GroupError: an infinite group.
        ValueError: `channels` that does not divide the number of functions.

    Source: He et al. 2023 (Neural ePDOs, ICLR).
    """

    _expand: Tensor

    def __init__(
        self,
        field_filter: Field,
        field_in: Field,
        field_out: Field,
        channels: int = 1,
        hidden: int | None = None,
        subgroup: Group | None = None,
    ) -> None:
        super().__init__()
        group = require_same_group("NeuralPDO", field_filter, field_in, field_out)
        self.field_in, self.field_out, self.channels = field_in, field_out, channels
        self.field_filter, self.subgroup = field_filter, subgroup
        self.functions = Functions(field_in, subgroup)
        hidden = self.functions.count if hidden is None else hidden
        if channels < 1 or self.functions.count % channels or hidden % channels:
            raise ValueError(
                f"channels={channels} does not divide the {self.functions.count} functions of the "
                f"input and the {hidden} of the hidden layer."
            )
        self.hidden = Functions(function_field(group, hidden, subgroup), subgroup)
        self.own = Functions(function_field(group, hidden // channels, subgroup), subgroup)
        unit, synthesis = _irreps_of_functions(group, subgroup)
        coefficients, change = unit.tensor(field_filter)
        expand = torch.einsum("kbh,bs->ksh", change.unflatten(1, (unit.dim, -1)), synthesis)
        self.register_constant(
            "_expand", expand.flatten(1)
        )  # from irreps of w to its values (s, operator)
        self.read = Linear(field_in, self.hidden.field)
        self.generate = nn.ModuleList(Linear(self.own.field, coefficients) for _ in range(channels))
        self.mix = Linear(field_in, field_out)

    def forward(self, x: Tensor, differentiate: Differentiate) -> Tensor:
        """Features (point, field_in.dim) to (point, field_out.dim)."""
        weights = self._coefficients(x)
        values = (
            differentiate(self.functions.values(x).flatten(1), weights) * weights.shape[-1] ** -0.5
        )
        y: Tensor = self.mix(
            self.functions.irreps(
                values.unflatten(1, (self.functions.count, self.functions.points))
            )
        )
        return y

    def meaning(self) -> str:
        group = group_label(self.field_in.group)
        return (
            f"{self.field_filter} (x) {self.field_in} -> {self.field_out}, {group}, "
            f"channels={self.channels}, functions of {self.functions.points} values"
        )

    def details(self) -> str:
        subgroup = self.subgroup
        is_trivial = subgroup is None or subgroup.order == 1
        return "" if is_trivial else f"subgroup {group_label(subgroup)}"

    def _coefficients(self, x: Tensor) -> Tensor:
        """W (point, channel, s, operator)."""
        values = functional.silu(self.hidden.values(self.read(x))) * SILU_GAIN
        parts = values.flatten(1).chunk(self.channels, 1)
        coefficients = []
        for part, layer in zip(parts, self.generate, strict=True):
            linear = cast(Linear, layer)  # with both changes of basis it is one matrix
            matrix = self.own.values(linear.matrix().T).flatten(1).T @ self._expand
            constant = linear(part.new_zeros(linear.field_in.dim)) @ self._expand
            coefficients.append(torch.addmm(constant, part, matrix))
        return unit_mean_square(torch.stack(coefficients, 1)).unflatten(
            2, (self.functions.points, -1)
        )


class Functions(ConstantModule):
    """Functions on a finite group G, or on its cosets G / H, as their irreps and as their values.

    The change is orthogonal, and the group permutes the values: a pointwise function of them is
    exactly equivariant.

    Args:
        field: as many of each irrep as so many functions have, in any order.
        subgroup: H, by default the trivial one.

    Attributes:
        count: number of functions.
        points: number of values of each.

    Raises:
        FieldMismatchError: a field that is no functions on G / H.
        GroupError: an infinite group, or a subgroup that is none.
    """

    _synthesis: Tensor
    _order: Tensor
    _inverse: Tensor

    def __init__(self, field: Field, subgroup: Group | None = None) -> None:
        super().__init__()
        unit, synthesis = _irreps_of_functions(field.group, subgroup)
        order = _order(field, unit)
        self.field, (self.count, self.points) = field, order.shape
        self.register_constant("_synthesis", synthesis)
        self.register_constant("_order", order.flatten())
        self.register_constant("_inverse", order.flatten().argsort())

    def extra_repr(self) -> str:
        return f"{self.field}, {self.field.group}, functions of {self.points} values"

    def values(self, x: Tensor) -> Tensor:
        """Features (row, field.dim) to values (row, function, s)."""
        return (
            x.index_select(1, self._order).unflatten(1, (self.count, self.points)) @ self._synthesis
        )

    def irreps(self, values: Tensor) -> Tensor:
        """Values (row, function, s) to features (row, field.dim)."""
        return (values @ self._synthesis.T).flatten(1).index_select(1, self._inverse)


def function_field(group: Group, count: int, subgroup: Group | None = None) -> Field:
    """The field of `count` functions on a finite group G, or on its cosets G / H.

    It holds all irreps of the functions, gathered by irrep.

    Args:
        group: G.
        count: number of functions.
        subgroup: H, by default the trivial one.

    Raises:
        GroupError: an infinite group, or a subgroup that is none.
    """
    unit, _ = _irreps_of_functions(group, subgroup)
    kinds = [term.irrep for term in unit]
    return Field(
        group, tuple(Term(count * kinds.count(irrep), irrep) for irrep in dict.fromkeys(kinds))
    )


def _irreps_of_functions(group: Group, subgroup: Group | None) -> tuple[Field, Tensor]:
    """The irreps of the functions on G / H.

    Returned with the orthogonal matrix (component, s) that takes components to values.
    """
    parts = decompose(quotient(group, subgroup or trivial(group.dim)))
    unit = Field(group, tuple(Term(1, irrep) for irrep, _ in parts))
    return unit, torch.cat([torch.from_numpy(isometry).T for _, isometry in parts])


def _order(field: Field, unit: Field) -> Tensor:
    """Where the components of every function lie in a field (function, component)."""
    places: dict[Irrep, list[range]] = {}
    for term, place in zip(field, field.slices(), strict=True):
        starts = range(place.start, place.stop, term.irrep.dim)
        places.setdefault(term.irrep, []).extend(range(k, k + term.irrep.dim) for k in starts)
    kinds = [term.irrep for term in unit]
    count = field.dim // unit.dim
    if any(len(places.get(kind, [])) != count * kinds.count(kind) for kind in {*kinds, *places}):
        raise FieldMismatchError(
            f"Functions on {field.group} or its cosets, whose values the group permutes, hold "
            f"{unit} each; got {field}. Make the field with `function_field`, or take "
            "products='tensor', which allow any field."
        )
    rest = {kind: iter(ranges) for kind, ranges in places.items()}
    rows: list[list[int]] = []
    for _ in range(count):
        components = [next(rest[kind]) for kind in kinds]
        rows.append([k for places_of_irrep in components for k in places_of_irrep])
    return torch.tensor(rows).view(count, unit.dim)
