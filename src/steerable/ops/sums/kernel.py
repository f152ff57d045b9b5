"""What a sum over neighbourhoods computes: a function of tensors, block by block or by loops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from torch import Tensor

from .neighbourhoods import Neighbourhoods

Slots = tuple[int, int]
Counts = tuple[int, int]


class Inputs(NamedTuple):
    """Tensors with a row for every edge, with a row for every source, and weights of any shape."""

    edge: Sequence[Tensor]
    source: Sequence[Tensor]
    weights: Sequence[Tensor]

    @property
    def tensors(self) -> list[Tensor]:
        """All of them in this order."""
        return [*self.edge, *self.source, *self.weights]

    @property
    def counts(self) -> Counts:
        """How many tensors of edges and of sources there are."""
        return len(self.edge), len(self.source)


class Kernel(Protocol):
    """What is computed in a block of nodes: a function of its inputs and of nothing else.

    It gets `slots` = (node, slot), the `mask` (node * slot, 1) of used slots or None, edge and
    source tensors with a row per slot, weights, and returns (node, width). `pull` gives the
    gradients of the inputs (those that `needs` asks for); `pull_twice` the gradients of `grad` and
    of the inputs, of the product of `second` with what `pull` gives. Both give None where they
    are not written out, and are derived from the kernel then.
    """

    @property
    def width(self) -> int: ...

    def __call__(self, slots: Slots, mask: Tensor | None, inputs: Inputs) -> Tensor: ...

    def pull(
        self,
        slots: Slots,
        mask: Tensor | None,
        inputs: Inputs,
        grad: Tensor,
        needs: Sequence[bool],
    ) -> list[Tensor | None] | None: ...

    def pull_twice(
        self,
        slots: Slots,
        mask: Tensor | None,
        inputs: Inputs,
        grad: Tensor,
        second: Sequence[Tensor | None],
    ) -> list[Tensor | None] | None: ...

    def loops(self, inputs: Inputs) -> Loops | None:
        """What computes all targets at once; None where there is nothing, and blocks do."""
        ...


class Loops(Protocol):
    """A kernel for all targets at once, and its gradients, in the order of `Inputs`."""

    def run(self, hood: Neighbourhoods, inputs: Inputs) -> Tensor: ...

    def pull(
        self, hood: Neighbourhoods, inputs: Inputs, grad: Tensor, needs: Sequence[bool]
    ) -> list[Tensor | None]: ...

    def pull_twice(
        self, hood: Neighbourhoods, inputs: Inputs, grad: Tensor, tangents: Inputs
    ) -> tuple[Tensor, list[Tensor | None]]: ...
