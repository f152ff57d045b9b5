"""The sum over neighbours in any order of computation, block by block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...filters import Filter
from ...layers import Contraction
from ...ops import Inputs, Loops
from .engines import Engine, Local
from .graph import Graph


@dataclass(frozen=True)
class NeighbourSum:
    """The kernel of `ops.blockwise`: y of the nodes of a block.

    Args:
        filter: the filter.
        contraction: the weights.
        engine: the order of computation.
        inside: whether the filter is evaluated block by block, in place of once for all edges.
        attributes: whether there are attributes of edges and of nodes; used `inside`.
    """

    filter: Filter
    contraction: Contraction
    engine: Engine
    inside: bool
    attributes: tuple[bool, bool]

    @property
    def width(self) -> int:
        """Channels of the result."""
        return self.contraction.paths.field_out.dim

    def parameters(self) -> list[Tensor]:
        """What blocks read besides their inputs."""
        found = list(self.engine.parameters(self.contraction))
        if self.inside and isinstance(self.filter, nn.Module):
            found += list(self.filter.parameters())
        return found

    def inputs(self, graph: Graph, features: Sequence[Tensor], weight: Tensor | None) -> Inputs:
        """The tensors of blocks: features, geometry and attributes, or the values of the filter.

        Weights of edges.
        """
        if not self.inside:
            values = self.engine.values(self.filter, *graph.geometry())
            if weight is not None:
                values = [values[0] * weight.unsqueeze(1), *values[1:]]
            return Inputs(values, features, [])
        edge = [
            t
            for t in (graph.edge_attr, None if weight is None else weight.unsqueeze(1))
            if t is not None
        ]
        source = [t for t in (graph.source.pos, graph.source.attr) if t is not None]
        target = [t for t in (graph.target.pos, graph.target.attr) if t is not None]
        return Inputs(edge, [*source, *features], target)

    def __call__(self, slots: tuple[int, int], mask: Tensor | None, inputs: Inputs) -> Tensor:
        values, features = (
            self._evaluate(slots, inputs) if self.inside else (inputs.edge, inputs.source)
        )
        if mask is not None:
            values = [values[0] * mask, *values[1:]]
        return self.contraction.paths.join(
            self.engine(self.contraction, Local(slots, values, features))
        )

    def loops(self, inputs: Inputs) -> Loops | None:
        """What computes all targets at once, if the engine has it."""
        return None if self.inside else self.engine.loops(self.contraction, inputs)

    def pull(
        self,
        slots: tuple[int, int],
        mask: Tensor | None,
        inputs: Inputs,
        grad: Tensor,
        needs: Sequence[bool],
    ) -> list[Tensor | None] | None:
        """The gradients of inputs and parameters, if the engine has them."""
        if self.inside:
            return None
        values = inputs.edge if mask is None else [inputs.edge[0] * mask, *inputs.edge[1:]]
        parts = self.contraction.paths.part(grad)
        found = self.engine.pull(
            self.contraction, Local(slots, values, inputs.source), parts, needs
        )
        if found is None:
            return None
        return [*found] if mask is None else [found[0] * mask, *found[1:]]

    def pull_twice(
        self,
        slots: tuple[int, int],
        mask: Tensor | None,
        inputs: Inputs,
        grad: Tensor,
        second: Sequence[Tensor | None],
    ) -> list[Tensor | None] | None:
        """The gradients of <second, pull>, if the engine has them.

        They are those of `grad`, inputs and parameters.
        """
        tensors = [*inputs.edge, *inputs.source]
        if self.inside or any(s is not None for s in second[len(tensors) :]):
            return None
        tangents = [
            torch.zeros_like(t) if s is None else s for t, s in zip(tensors, second, strict=False)
        ]
        values = list(inputs.edge)
        if mask is not None:
            values[0], tangents[0] = values[0] * mask, tangents[0] * mask
        parts = self.contraction.paths.part(grad)
        found = self.engine.pull_twice(
            self.contraction, Local(slots, values, inputs.source), parts, tangents
        )
        if found is None:
            return None
        first, (to_first, *others) = self.contraction.paths.join(found[0]), found[1]
        return [first, to_first if mask is None else to_first * mask, *others]

    def _evaluate(
        self, slots: tuple[int, int], inputs: Inputs
    ) -> tuple[list[Tensor], Sequence[Tensor]]:
        """The values of the filter, and the features."""
        has_edge, has_node = self.attributes
        spread = [t.unsqueeze(1).expand(*slots, t.shape[1]).flatten(0, 1) for t in inputs.target]
        seen = list(inputs.edge[: int(has_edge)])
        if has_node:
            seen += [inputs.source[1], spread[1]]
        attributes = torch.cat(seen, -1) if seen else None
        values = self.engine.values(self.filter, inputs.source[0] - spread[0], attributes)
        if len(inputs.edge) > int(has_edge):
            values = [values[0] * inputs.edge[-1], *values[1:]]
        return values, inputs.source[1 + int(has_node) :]
