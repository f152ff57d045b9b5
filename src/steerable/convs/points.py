"""Convolution on points and graphs with any filter."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint
from torch_geometric.nn import MessagePassing

from ..field import Field, require_same_group
from ..filters import Filter
from ..layers import Contraction
from ..ops import Block, Neighbourhoods, check_finite, moments, neighbourhoods

_MANY_EDGES = 16_384


class PointConv(MessagePassing):
    """y_i = n^(-1/2) sum over neighbours j of K(x_ij, a_ij) f_j, x_ij = pos_j - pos_i, without ever forming K.

    The filter gives h_ij, the moments sum h_ij (x) f_j over neighbours, and the contraction applies weights per
    node: the same function as with the steerable kernel K = W h per edge. Runs over blocks of nodes of about equal
    degree, sized to the cache.

    Args:
        field_in: type of the features f.
        field_out: type of the result y.
        filter: a Filter, such as ImplicitFilter or HarmonicFilter.
        neighbours: n, the usual number of neighbours; keeps unit variance.
        recompute: compute filter and moments again in the backward pass instead of keeping them, which saves most of
            the memory; by default for graphs of more than 16,384 edges.

    Raises:
        FieldMismatchError: fields of different groups, or features that do not fit.
    """

    def __init__(
        self,
        field_in: Field | str,
        field_out: Field | str,
        filter: Filter,
        neighbours: float = 1.0,
        recompute: bool | None = None,
    ) -> None:
        super().__init__(aggr="add")
        group = filter.field.group  # of fields given as text
        self.field_in, self.field_out = (
            given if isinstance(given, Field) else Field.parse(given, group) for given in (field_in, field_out)
        )
        require_same_group("PointConv", self.field_in, self.field_out, filter.field)
        self.filter = filter
        self.contraction = Contraction(filter.field, filter.channels, self.field_in, self.field_out)
        self.scale = float(neighbours) ** -0.5
        self.recompute = recompute

    def forward(
        self,
        x: Tensor,
        pos: Tensor,
        edge_index: Tensor | Neighbourhoods,
        edge_attr: Tensor | None = None,
        node_attr: Tensor | None = None,
    ) -> Tensor:
        """Convolve.

        Args:
            x: features (node, field_in.dim).
            pos: positions (node, d).
            edge_index: (2, edge), row 0 the source j, row 1 the target i; or `ops.neighbourhoods` of it, made once.
            edge_attr: attributes of edges (edge, ...).
            node_attr: attributes of nodes (node, ...); the filter sees those of both ends after the edge's.

        Returns:
            (node, field_out.dim); nodes without neighbours get 0.
        """
        self.field_in.check(x, "PointConv")
        check_positions(pos, len(x), self.filter.field.group.dim)
        hood = _neighbourhoods(edge_index, len(x))
        check_attributes(self.filter, edge_attr, node_attr, hood)
        recompute = hood.edge_index.shape[1] > _MANY_EDGES if self.recompute is None else self.recompute
        parts = [self._block(x, pos, hood, block, (edge_attr, node_attr), recompute) for block in hood.blocks]
        y = x.new_zeros(hood.size, self.field_out.dim)
        if parts:
            y = y.index_copy(0, torch.cat([block.nodes for block in hood.blocks]), torch.cat(parts))
        return y * self.scale

    def _block(
        self,
        x: Tensor,
        pos: Tensor,
        hood: Neighbourhoods,
        block: Block,
        attributes: tuple[Tensor | None, Tensor | None],
        recompute: bool,
    ) -> Tensor:
        """The result at the nodes of one block."""
        shape = block.edges.shape
        edges = block.edges.reshape(-1)
        source, target = hood.edge_index.index_select(1, edges)

        def summed(x: Tensor, pos: Tensor, edge_attr: Tensor | None, node_attr: Tensor | None) -> tuple[Tensor, ...]:
            offset = pos.index_select(0, source) - pos.index_select(0, target)
            seen = [] if edge_attr is None else [edge_attr.index_select(0, edges)]
            if node_attr is not None:
                seen += [node_attr.index_select(0, source), node_attr.index_select(0, target)]
            h = self.filter(offset, torch.cat(seen, -1) if seen else None)
            if block.mask is not None:
                h = h * block.mask.reshape(-1, 1, 1).to(h.dtype)
            weights = self.contraction.couple(h)
            features = self.contraction.split(x.index_select(0, source))
            pairs = zip(weights, features, strict=True)
            return tuple(moments(g.unflatten(0, shape), f.unflatten(0, shape)) for g, f in pairs)

        run: Callable[..., tuple[Tensor, ...]] = summed
        if recompute and torch.is_grad_enabled():
            found = checkpoint(run, x, pos, *attributes, use_reentrant=False, preserve_rng_state=False)
        else:
            found = run(x, pos, *attributes)
        result: Tensor = self.contraction(list(found))
        return result


def _neighbourhoods(edge_index: Tensor | Neighbourhoods, nodes: int) -> Neighbourhoods:
    if isinstance(edge_index, Neighbourhoods):
        if edge_index.size != nodes:
            raise ValueError(
                f"These neighbourhoods are of {edge_index.size} nodes; there are {nodes} rows of features."
            )
        return edge_index
    check_edge_index(edge_index, nodes)
    return neighbourhoods(edge_index, nodes)


def check_positions(pos: Tensor, nodes: int, dim: int) -> None:
    """Raise ValueError unless `pos` holds finite positions (nodes, dim)."""
    if pos.dim() != 2 or pos.shape[1] != dim:
        raise ValueError(f"The group acts on positions of {dim} coordinates (node, {dim}); got {tuple(pos.shape)}.")
    if len(pos) != nodes:
        raise ValueError(f"PointConv needs one position per node: {nodes} rows of features, {len(pos)} of positions.")
    check_finite(pos)


def check_edge_index(edge_index: Tensor, nodes: int) -> None:
    """Raise ValueError unless `edge_index` is integers (2, edge) between 0 and `nodes` - 1."""
    if edge_index.dtype != torch.long or edge_index.dim() != 2 or len(edge_index) != 2:
        raise ValueError(
            f"edge_index is a torch.long tensor (2, edge), row 0 the source, row 1 the target; got {edge_index.dtype} "
            f"{tuple(edge_index.shape)}."
        )
    if edge_index.numel() and not 0 <= int(edge_index.min()) <= int(edge_index.max()) < nodes:
        raise ValueError(
            f"edge_index holds node numbers from 0 to {nodes - 1}; got {int(edge_index.min())} to "
            f"{int(edge_index.max())}."
        )


def check_attributes(filter: Filter, edge_attr: Tensor | None, node_attr: Tensor | None, hood: Neighbourhoods) -> None:
    """Raise ValueError unless the attributes fit the filter and the graph."""
    edges = hood.edge_index.shape[1]
    if edge_attr is not None and len(edge_attr) != edges:
        raise ValueError(f"edge_attr has one row per edge ({edges}); got {len(edge_attr)}.")
    width = 0 if edge_attr is None else edge_attr.shape[-1]
    width += 0 if node_attr is None else 2 * node_attr.shape[-1]
    if width != filter.attributes.dim:
        raise ValueError(
            f"The filter expects attributes of {filter.attributes or 'no field'} ({filter.attributes.dim} numbers per "
            f"edge: the edge's, the source's, the target's); edge_attr and twice node_attr make {width}."
        )
