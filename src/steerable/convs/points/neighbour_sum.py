"""The sum over neighbours in any order of computation, block by block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...layers import Constants, Recipe
from ...ops import Inputs, Loops
from .engines import Engine, Local


@dataclass(frozen=True)
class NeighbourSum:
    """The kernel of `ops.blockwise`: y of the nodes of a block.

    Args:
        engine: the order of computation.
        recipe: the contraction but for its numbers.
        constants: the Clebsch-Gordan tensors of its paths.
    """

    engine: Engine
    recipe: Recipe
    constants: Constants

    @property
    def width(self) -> int:
        """Channels of the result."""
        return self.recipe.layout.width

    @property
    def is_derived(self) -> bool:
        """Whether gradients are derived from the order, which does not give them by itself."""
        return type(self.engine).pull is Engine.pull

    def __call__(self, slots: tuple[int, int], mask: Tensor | None, inputs: Inputs) -> Tensor:
        values = inputs.edge if mask is None else [inputs.edge[0] * mask, *inputs.edge[1:]]
        weights = self.recipe.bind(inputs.weights, self.constants)
        return self.recipe.layout.join(self.engine(weights, Local(slots, values, inputs.source)))

    def loops(self, inputs: Inputs) -> Loops | None:
        """What computes all targets at once, if the engine has it."""
        return self.engine.loops(self.recipe.bind(inputs.weights, self.constants), inputs)

    def pull(
        self,
        slots: tuple[int, int],
        mask: Tensor | None,
        inputs: Inputs,
        grad: Tensor,
        needs: Sequence[bool],
    ) -> list[Tensor | None] | None:
        """The gradients of all inputs, if the engine has them."""
        weights = self.recipe.bind(inputs.weights, self.constants)
        values = inputs.edge if mask is None else [inputs.edge[0] * mask, *inputs.edge[1:]]
        parts = self.recipe.layout.part(grad)
        gradients = self.engine.pull(weights, Local(slots, values, inputs.source), parts, needs)
        if gradients is None:
            return None
        return [*gradients] if mask is None else [gradients[0] * mask, *gradients[1:]]

    def pull_twice(
        self,
        slots: tuple[int, int],
        mask: Tensor | None,
        inputs: Inputs,
        grad: Tensor,
        second: Sequence[Tensor | None],
    ) -> list[Tensor | None] | None:
        """The gradients of <second, pull> of `grad` and of all inputs, if the engine has them."""
        tensors = [*inputs.edge, *inputs.source]
        if any(s is not None for s in second[len(tensors) :]):
            return None
        pairs = zip(tensors, second, strict=False)
        tangents = [torch.zeros_like(t) if s is None else s for t, s in pairs]
        values = list(inputs.edge)
        if mask is not None:
            values[0], tangents[0] = values[0] * mask, tangents[0] * mask
        weights = self.recipe.bind(inputs.weights, self.constants)
        parts = self.recipe.layout.part(grad)
        local = Local(slots, values, inputs.source)
        gradients = self.engine.pull_twice(weights, local, parts, tangents)
        if gradients is None:
            return None
        first, (to_values, *others) = self.recipe.layout.join(gradients[0]), gradients[1]
        return [first, to_values if mask is None else to_values * mask, *others]
