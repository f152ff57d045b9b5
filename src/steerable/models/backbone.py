"""What the networks on points share: blocks of a convolution and of what acts at its nodes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from torch import Tensor, nn

from ..convs import NeighbourConv
from ..field import Field, Term, harmonic_field, invariant_field
from ..filters import Filter
from ..layers import Gate, Linear, Modulation, Products, RMSNorm
from ..ops import Edges

Features = Tensor | tuple[Tensor, Tensor]


class Block(nn.Module):
    """x' = skip(x) + activation(modulation(conv(norm(x))) + linear(norm(x))).

    Every part but the convolution may be left out, and each is a module that another one of the
    same fields may replace. With `norm_first=False` the norm comes right before the activation.

    Args:
        conv: the convolution.
        linear: of the node's features, such as `Linear`; added to the sums over neighbours.
        modulation: of the sums, by what is known of their nodes; called as
            `modulation(y, condition)`.
        norm: such as `RMSNorm`.
        activation: such as `Gate` or `Products`.
        skip: of the features as they come; added to the result.
        norm_first: whether the norm comes first, or right before the activation.
    """

    def __init__(
        self,
        conv: NeighbourConv,
        linear: nn.Module | None = None,
        modulation: nn.Module | None = None,
        norm: nn.Module | None = None,
        activation: nn.Module | None = None,
        skip: nn.Module | None = None,
        norm_first: bool = True,
    ) -> None:
        super().__init__()
        self.norm_first = norm_first
        # Parameters stand in the order in which they act: states of optimizers count them so.
        if norm_first:
            self.norm = norm
        self.conv, self.own, self.modulation = conv, linear, modulation
        if not norm_first:
            self.norm = norm
        self.activation, self.skip = activation, skip

    def forward(
        self,
        x: Features,
        edges: Edges,
        edge_attr: Tensor | None = None,
        node_attr: Tensor | None = None,
        condition: Tensor | None = None,
    ) -> Tensor:
        """Convolve, and act at the nodes.

        Args:
            x: features (node, field_in.dim); those of sources and targets as a pair where these are
                not the same, for blocks without a norm that comes first.
            edges: the edges.
            edge_attr: attributes of edges that the filter sees.
            node_attr: attributes of nodes that the filter sees.
            condition: what the modulation sees of the targets, (target, ...).

        Returns:
            Features of the targets.
        """
        features = self.norm(x) if self.norm is not None and self.norm_first else x
        y = self.conv(features, edges, edge_attr, node_attr)
        if self.modulation is not None:
            y = self.modulation(y, condition)
        if self.own is not None:
            y = y + self.own(_targets(features))
        if self.norm is not None and not self.norm_first:
            y = self.norm(y)
        if self.activation is not None:
            y = self.activation(y)
        return y if self.skip is None else self.skip(_targets(x)) + y


class Backbone(nn.ModuleList):
    """Blocks, one after the other, on the same edges.

    Args:
        blocks: the blocks; each takes what the one before gives.
    """

    def __init__(self, blocks: Iterable[Block]) -> None:
        super().__init__(blocks)

    @property
    def field_out(self) -> Field:
        """Type of the result: that of the last block's activation, or else of its convolution."""
        last = cast(Block, self[-1])
        return cast(Field, (last.activation or last.conv).field_out)

    def forward(
        self,
        x: Tensor,
        edges: Edges,
        edge_attr: Tensor | None = None,
        node_attr: Tensor | None = None,
        condition: Tensor | None = None,
    ) -> Tensor:
        """Features (node, ...) of the first block's input to those of the last one's output.

        Arguments as in `Block.forward`. Blocks whose filter has no attributes do not see them.
        """
        for block in cast(Iterable[Block], self):
            sees = block.conv.filter.attributes.dim > 0
            attributes = (edge_attr, node_attr) if sees else (None, None)
            x = block(x, edges, *attributes, condition)
        return x


def residual_block(
    field_in: Field,
    hidden: Field,
    filter: Filter,
    contraction: str = "depthwise",
    products: bool = True,
    norm: bool = False,
    neighbours: float | None = None,
    is_last: bool = False,
    conditions: int = 0,
) -> Block:
    """A block that adds to the features that it takes.

    Args:
        field_in: type of the features.
        hidden: type of what the convolution makes, and of the result.
        filter: of the convolution.
        contraction: of the convolution, such as `full` or `depthwise`.
        products: whether the activation is Products, or else a Gate. Features that are all
            invariant have a Gate.
        norm: whether the features pass an RMSNorm before.
        neighbours: the usual number of neighbours; measured on the first batch if absent.
        is_last: whether the result is the invariant part of `hidden` alone.
        conditions: number of attributes of a node that its sums over neighbours are modulated by.
    """
    field_out = invariant_part(hidden) if is_last else hidden
    if products and not hidden.is_invariant:
        activation: Gate | Products = Products(hidden, field_out)
    else:
        activation = Gate(field_out)
    before = RMSNorm(field_in) if norm else None
    conv = NeighbourConv(field_in, activation.field_in, filter, contraction, neighbours=neighbours)
    linear = Linear(field_in, activation.field_in)
    modulation = Modulation(activation.field_in, conditions) if conditions else None
    # Products hold what they take already.
    keeps = isinstance(activation, Products)
    skip = None if keeps else Linear(field_in, field_out, bias=False)
    return Block(conv, linear, modulation, before, activation, skip)


def invariant_part(field: Field) -> Field:
    """As many trivial irreps as the field has."""
    return invariant_field(field.group, sum(t.multiplicity for t in field if t.irrep.is_trivial))


def density_field(field: Field, degree: int) -> Field:
    """What a density up to a degree makes for a network of features of `field`.

    It has the terms of `field` whose irreps are among the harmonics, and copies of the other
    harmonics: as many as of the rarest irrep of `field` that turns, or half as many as there are
    invariants.
    """
    irreps = dict.fromkeys(t.irrep for t in harmonic_field(field.group, degree).field)
    turning = [t.multiplicity for t in field if not t.irrep.is_trivial]
    copies = min(turning) if turning else max(invariant_part(field).dim // 2, 1)
    present = {t.irrep for t in field}
    shared = [t for t in field if t.irrep in irreps]
    others = [Term(copies, irrep) for irrep in irreps if irrep not in present]
    return Field(field.group, (*shared, *others))


def _targets(x: Features) -> Tensor:
    return x[1] if isinstance(x, tuple) else x
