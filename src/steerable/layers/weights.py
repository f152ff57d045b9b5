"""The weights of contractions as plain functions of tensors.

A module hands its parameters and constants to a `Weights`; compiled programs rebuild the same from
tensors and the text of a `Recipe`, with no module at hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate

import torch
from torch import Tensor, nn

from .path_layout import Path, PathLayout


@dataclass(frozen=True, eq=False)
class Recipe:
    """All of a contraction but its numbers.

    Args:
        kind: `full` or `depthwise`.
        channels: channels of the filter.
        groups: blocks of copies that do not mix, of a full one.
        layout: its paths.

    Attributes:
        rows: how many rows of the weights of its output irrep every path has, in a group.
        places: where these rows are.
        columns: where every path lies in the columns of V, of a depthwise one.
        text: all of it as JSON, from which `from_text` rebuilds it.
    """

    kind: str
    channels: int
    groups: int
    layout: PathLayout

    rows: list[int] = field(init=False)
    places: list[slice] = field(init=False)
    columns: list[slice] = field(init=False)
    text: str = field(init=False)

    def __post_init__(self) -> None:
        # Plain attributes: code that is being compiled cannot enter a cached_property.
        factor = 1 if self.kind == "depthwise" else self.channels
        rows = [path.copies // self.groups * factor for path in self.layout.paths]
        ends = list(accumulate(path.copies for path in self.layout.paths))
        paths = zip(ends, self.layout.paths, strict=True)
        object.__setattr__(self, "rows", rows)
        object.__setattr__(self, "places", self.layout.places(rows))
        object.__setattr__(self, "columns", [slice(end - path.copies, end) for end, path in paths])
        parts = [self.kind, self.channels, self.groups, self.layout.as_text()]
        object.__setattr__(self, "text", json.dumps(parts))

    @staticmethod
    @lru_cache(1024)
    def from_text(text: str) -> Recipe:
        """The recipe that `text` holds."""
        kind, channels, groups, layout = json.loads(text)
        return Recipe(kind, channels, groups, PathLayout.from_text(layout))

    def weight_shapes(self) -> list[tuple[int, ...]]:
        """The shapes of the weights, in the order of `Contraction.own_parameters`."""
        fans = self.layout.totals(self.rows)
        ends = list(zip(fans, (irrep.copies for irrep in self.layout.outputs), strict=True))
        if self.kind == "full":
            return [(self.groups, fan_in, copies // self.groups) for fan_in, copies in ends]
        columns = sum(path.copies for path in self.layout.paths)
        return [(self.channels, columns), *ends] if self.kind == "depthwise" else []

    def bind(self, weights: Sequence[Tensor], constants: Constants) -> Weights:
        """The contraction with these numbers."""
        return _KINDS[self.kind](self, weights, constants)


@dataclass(frozen=True)
class Constants:
    """The Clebsch-Gordan tensors of `Paths`, as far as they are needed.

    Args:
        tensors: (m_h, m_i, m_o) of every path.
        coupled: the tensors of all paths from a term of the input, as one matrix for each term.
        place: places of the numbers that are not 0, see `Paths.nonzeros`.
        value: these numbers.
    """

    tensors: Sequence[Tensor] = ()
    coupled: Sequence[Tensor] = ()
    place: Tensor | None = None
    value: Tensor | None = None


class Weights:
    """A contraction as functions of its weights.

    Args:
        recipe: what kind it is, and its paths.
        weights: its parameters, in the order of `Contraction.own_parameters`.
        constants: the Clebsch-Gordan tensors of the paths.
    """

    def __init__(self, recipe: Recipe, weights: Sequence[Tensor], constants: Constants) -> None:
        self.recipe, self.layout, self.channels = recipe, recipe.layout, recipe.channels
        self.tensors, self.constants = weights, constants

    def __iter__(self) -> Iterator[Path]:
        return iter(self.layout.paths)

    def tensor(self, k: int) -> Tensor:
        """The constant tensor (m_h, m_i, m_o) of path k."""
        return self.constants.tensors[k]

    def coupled(self, i: int) -> Tensor:
        """The tensors of all paths from term i, (m of the filter, ((path, m_o), m_i))."""
        return self.constants.coupled[i]

    def weight(self, k: int) -> Tensor:
        """As `Contraction.weight`."""
        raise TypeError(f"{type(self).__name__} has no weights of its own.")

    def weigh(self, k: int, moment: Tensor) -> Tensor:
        """As `Contraction.weigh`."""
        raise TypeError(f"{type(self).__name__} has no weights of its own.")

    def matrix(self, o: int) -> Tensor:
        """As `Contraction.matrix`."""
        return stacked_weights(self, o)


class FullWeights(Weights):
    """W_p is free; the weights are (group, ((path, copy, channel)), copy) for each output irrep."""

    def __init__(self, recipe: Recipe, weights: Sequence[Tensor], constants: Constants) -> None:
        super().__init__(recipe, weights, constants)
        self.groups = recipe.groups
        self._places = recipe.places

    def weight(self, k: int) -> Tensor:
        weights = self._of_path(k).unflatten(1, (-1, self.channels))
        if self.groups == 1:
            return weights[0]
        diagonal = torch.eye(self.groups, dtype=weights.dtype, device=weights.device)
        return torch.einsum("gcko,gh->gckho", weights, diagonal).flatten(3).flatten(0, 1)

    def matrix(self, o: int) -> Tensor:
        return self.tensors[o][0] if self.groups == 1 else super().matrix(o)

    def weigh(self, k: int, moment: Tensor) -> Tensor:
        # No size is left to `reshape`, which cannot infer it where there are no nodes.
        rows, weights = moment.flatten(2).flatten(0, 1), self._of_path(k)
        if self.groups == 1:
            return (rows @ weights[0]).unflatten(0, moment.shape[:2])
        grouped = rows.unflatten(1, (self.groups, weights.shape[1])).transpose(0, 1)
        products = torch.bmm(grouped, weights).transpose(0, 1)
        return products.flatten(1).unflatten(0, moment.shape[:2])

    def _of_path(self, k: int) -> Tensor:
        """The weights of path k: (group, (copy of the input, channel), copy of the output)."""
        return self.tensors[self.layout.paths[k].out][:, self._places[k]]


class DepthwiseWeights(Weights):
    """W_p[c, k, o] = V_p[k, c] L_p[c, o]; the weights are V, then L for each output irrep."""

    def __init__(self, recipe: Recipe, weights: Sequence[Tensor], constants: Constants) -> None:
        super().__init__(recipe, weights, constants)
        self._columns, self._places = recipe.columns, recipe.places

    @property
    def radial(self) -> Tensor:
        """V (channel of the filter, (path, copy of the input))."""
        return self.tensors[0]

    @property
    def mix(self) -> Sequence[Tensor]:
        """L for every output irrep, ((path, copy of the input), copy of the output)."""
        return self.tensors[1:]

    def columns(self, k: int) -> slice:
        """Where path k lies in the columns of V."""
        return self._columns[k]

    def rows(self, k: int) -> slice:
        """Where path k lies in the rows of L of its output irrep."""
        return self._places[k]

    def mixing(self, k: int) -> Tensor:
        """L_p of path k: (copy of the input, copy of the output)."""
        return self.mix[self.layout.paths[k].out][self._places[k]]

    def weight(self, k: int) -> Tensor:
        return self.radial[:, self._columns[k]].T.unsqueeze(-1) * self.mixing(k).unsqueeze(1)

    def weigh(self, k: int, moment: Tensor) -> Tensor:
        return (moment * self.radial[:, self._columns[k]].T).sum(-1) @ self.mixing(k)


class OuterWeights(Weights):
    """All products of channels as they are; there are no weights."""

    def weight(self, k: int) -> Tensor:
        tensor, copies = self.tensor(k), self.layout.sizes[k].copies_out
        diagonal = torch.eye(copies, dtype=tensor.dtype, device=tensor.device)
        return diagonal[self.recipe.places[k]].view(-1, self.channels, copies)

    def weigh(self, k: int, moment: Tensor) -> Tensor:
        place, copies = self.recipe.places[k], self.layout.sizes[k].copies_out
        products = moment.flatten(2)
        if place == slice(0, copies):
            return products
        return nn.functional.pad(products, (place.start, copies - place.stop))


_KINDS: dict[str, type[Weights]] = {
    "full": FullWeights,
    "depthwise": DepthwiseWeights,
    "outer": OuterWeights,
}


def stacked_weights(weights: Weights, o: int) -> Tensor:
    """Every `weight` of the paths to output irrep o, one below the other."""
    blocks = [weights.weight(k) for k, path in enumerate(weights) if path.out == o]
    return torch.cat([block.flatten(0, 1) for block in blocks])
