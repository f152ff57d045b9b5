"""Equivariant contractions V_filter (x) V_in -> V_out: what is learned in a steerable kernel."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from ..field import Field, Term
from ..groups import group_label
from .linear import Linear
from .meaning import Meaningful, reset
from .paths import Paths
from .weights import (
    Constants,
    DepthwiseWeights,
    FullWeights,
    OuterWeights,
    Recipe,
    Weights,
    stacked_weights,
)


@runtime_checkable
class Contraction(Protocol):
    """y = W (h (x) f), with a number W_p[c, k, o] for every path p.

    c is a copy of the input, k a channel of the filter, o a copy of the output.

    `before` acts on the features at their nodes, `paths` begin at its result.
    """

    channels: int
    paths: Paths
    before: nn.Module
    recipe: Recipe

    def own_parameters(self) -> list[Tensor]:
        """Its parameters without those of `before`."""
        ...

    def bind(self, weights: Sequence[Tensor] | None = None) -> Weights:
        """What it computes, as functions of `weights` in place of its own parameters."""
        ...

    def weight(self, k: int) -> Tensor:
        """The weights of path k: (copy of the input, channel of the filter, copy of the output)."""
        ...

    def matrix(self, o: int) -> Tensor:
        """`weight` of all paths to output irrep o.

        The shape is ((path, copy of the input, channel), copy of the output).
        """
        ...

    def mixed(self, copies: int) -> float:
        """How many multiplications `weigh` does per number of a moment.

        The count is that for so many copies of the output.
        """
        ...

    def weigh(self, k: int, moment: Tensor) -> Tensor:
        """The moment of path k, (node, m_o, copy of the input, channel), to (node, m_o, copy)."""
        ...


class Full(Meaningful):
    """Every copy of the input and every channel of the filter to every copy of the output.

    W_p is free.

    Args:
        field_filter: the irreps of one channel of the filter.
        channels: number of channels of the filter.
        field_in: type of the features.
        field_out: type of the result.
        groups: number of blocks of copies that do not mix.
        paths: makes the paths; a part of `Paths` to leave some out.

    Raises:
        FieldMismatchError: fields of different groups.
        ValueError: an irrep of the output that cannot be made, or multiplicities that `groups` does
            not divide.
    """

    def __init__(
        self,
        field_filter: Field,
        channels: int,
        field_in: Field,
        field_out: Field,
        groups: int = 1,
        paths: Callable[[Field, Field, Field], Paths] = Paths,
    ) -> None:
        super().__init__()
        self.channels, self.groups = channels, groups
        self.before: nn.Module = nn.Identity()
        self.paths = paths(field_filter, field_in, field_out)
        multiplicities = [*(path.copies for path in self.paths), *self.paths.copies]
        if groups < 1 or any(n % groups for n in multiplicities):
            raise ValueError(
                f"groups={groups} does not divide every multiplicity of {field_in} and {field_out}."
            )
        self.recipe = Recipe("full", channels, groups, self.paths.layout)
        fans = self.paths.layout.totals(self.recipe.rows)
        self.weights = nn.ParameterList(
            torch.empty(groups, fan_in, copies // groups)
            for fan_in, copies in zip(fans, self.paths.copies, strict=True)
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights of variance 1 / fan-in."""
        for weight in self.weights:
            _draw(weight, weight.shape[1])

    def own_parameters(self) -> list[Tensor]:
        return list(self.weights)

    def bind(self, weights: Sequence[Tensor] | None = None) -> FullWeights:
        """What it computes, as functions of `weights` in place of its own parameters."""
        tensors = self.own_parameters() if weights is None else weights
        return FullWeights(self.recipe, tensors, constants_of(self.paths))

    def weight(self, k: int) -> Tensor:
        return self.bind().weight(k)

    def matrix(self, o: int) -> Tensor:
        return self.bind().matrix(o)

    def mixed(self, copies: int) -> float:
        return copies / self.groups

    def weigh(self, k: int, moment: Tensor) -> Tensor:
        return self.bind().weigh(k, moment)

    def meaning(self) -> str:
        return _meaning(self.paths, self.channels)


class Depthwise(Meaningful):
    """A radial weight per path and copy, then a Linear: W_p[c, k, o] = V_p[k, c] L_p[c, o].

    The form of NequIP and MACE: its cost grows with the number of copies, not with its square. With
    `rank`, a Linear to that many copies of each irrep comes first, so that every path has rank at
    most `rank`.

    Args:
        field_filter: the irreps of one channel of the filter.
        channels: number of channels of the filter.
        field_in: type of the features.
        field_out: type of the result.
        rank: copies of every irrep between the two linear maps; those of `field_in` by default.
        paths: makes the paths; a part of `Paths` to leave some out.

    Raises:
        FieldMismatchError: fields of different groups.
        ValueError: an irrep of the output that cannot be made.
    """

    def __init__(
        self,
        field_filter: Field,
        channels: int,
        field_in: Field,
        field_out: Field,
        rank: int | None = None,
        paths: Callable[[Field, Field, Field], Paths] = Paths,
    ) -> None:
        super().__init__()
        self.channels = channels
        inner = field_in if rank is None else _copies(field_in, rank)
        self.before: nn.Module = (
            nn.Identity() if rank is None else Linear(field_in, inner, bias=False)
        )
        self.paths = paths(field_filter, inner, field_out)
        layout = self.paths.layout
        self.recipe = Recipe("depthwise", channels, 1, layout)
        sizes = [path.copies for path in layout.paths]
        self.radial = nn.Parameter(torch.empty(channels, sum(sizes)))
        self.mix = nn.ParameterList(
            torch.empty(fan_in, copies)
            for fan_in, copies in zip(layout.totals(sizes), self.paths.copies, strict=True)
        )
        self._draw()

    def reset_parameters(self) -> None:
        """Draw new weights of variance 1 / fan-in."""
        reset(self.before)
        self._draw()

    def _draw(self) -> None:
        for weight in (self.radial, *self.mix):
            _draw(weight, weight.shape[0])

    def own_parameters(self) -> list[Tensor]:
        return [self.radial, *self.mix]

    def bind(self, weights: Sequence[Tensor] | None = None) -> DepthwiseWeights:
        """What it computes, as functions of `weights` in place of its own parameters."""
        tensors = self.own_parameters() if weights is None else weights
        return DepthwiseWeights(self.recipe, tensors, constants_of(self.paths))

    def weight(self, k: int) -> Tensor:
        return self.bind().weight(k)

    def matrix(self, o: int) -> Tensor:
        return self.bind().matrix(o)

    def mixed(self, copies: int) -> float:
        return 1 + copies / self.channels

    def weigh(self, k: int, moment: Tensor) -> Tensor:
        return self.bind().weigh(k, moment)

    def meaning(self) -> str:
        return _meaning(self.paths, self.channels)


class Outer(nn.Module):
    """All products of channels of an invariant filter and of features, without weights.

    Args:
        field_filter: one invariant number.
        channels: number of channels of the filter.
        field_in: type of the features.
        field_out: that of the products, in the order (term, copy, channel of the filter).

    Raises:
        FieldMismatchError: fields of different groups.
        ValueError: `field_out` has not as many copies of every irrep as there are products.
    """

    def __init__(
        self, field_filter: Field, channels: int, field_in: Field, field_out: Field
    ) -> None:
        super().__init__()
        self.channels = channels
        self.before: nn.Module = nn.Identity()
        self.paths = Paths(field_filter, field_in, field_out)
        self.recipe = Recipe("outer", channels, 1, self.paths.layout)
        if self.paths.layout.totals(self.recipe.rows) != self.paths.copies:
            raise ValueError(
                f"The products of {channels} channels and {field_in} have every irrep {channels} "
                f"times as often; got {field_out}."
            )

    def own_parameters(self) -> list[Tensor]:
        return []

    def bind(self, weights: Sequence[Tensor] | None = None) -> OuterWeights:
        """What it computes, as functions of `weights`, of which there are none."""
        return OuterWeights(self.recipe, [], constants_of(self.paths))

    def weight(self, k: int) -> Tensor:
        return self.bind().weight(k)

    def matrix(self, o: int) -> Tensor:
        return stacked_weights(self.bind(), o)

    def mixed(self, copies: int) -> float:
        return 0.0

    def weigh(self, k: int, moment: Tensor) -> Tensor:
        return self.bind().weigh(k, moment)


def constants_of(paths: Paths) -> Constants:
    """The Clebsch-Gordan tensors of paths."""
    tensors = [paths.tensor(k) for k in range(len(paths))]
    coupled = [paths.coupled(i) for i in range(len(paths.layout.inputs))]
    return Constants(tensors, coupled, *paths.nonzeros())


def _copies(field: Field, rank: int) -> Field:
    irreps = dict.fromkeys(term.irrep for term in field)
    return Field(field.group, tuple(Term(rank, irrep) for irrep in irreps))


@torch.no_grad()
def _draw(weight: Tensor, fan_in: int) -> None:
    weight.normal_().div_(math.sqrt(max(fan_in, 1)))


def _meaning(paths: Paths, channels: int) -> str:
    return (
        f"{channels} x ({paths.field_filter}) (x) {paths.field_in} -> {paths.field_out}, "
        f"{group_label(paths.field_in.group)}"
    )
