"""The per-edge steerable kernel, written out.

The oracle of every convolution on points, and nothing else.
"""

import torch
from torch import Tensor

from steerable.convs import PointConv
from steerable.groups import coupling
from steerable.layers import Contraction


def contraction_tensor(contraction: Contraction) -> Tensor:
    """The whole map W (filter channel, filter component, out, in) of a contraction.

    Sum over paths of w C.
    """
    paths = contraction.paths
    field_out, field_in, field_filter = paths.field_out, paths.field_in, paths.field_filter
    first = contraction.weight(0)
    whole = first.new_zeros(contraction.channels, field_filter.dim, field_out.dim, field_in.dim)
    k = 0
    for term_in, at_in in _places(field_in):
        for irrep in dict.fromkeys(term.irrep for term in field_out):
            for at, tensor in [
                (slice(at.start + copy * t.irrep.dim, at.start + (copy + 1) * t.irrep.dim), tensor)
                for t, at in _places(field_filter)
                for copy in range(t.multiplicity)
                for tensor in coupling(t.irrep, term_in.irrep, irrep)
            ]:
                constant = torch.tensor(tensor * irrep.dim**0.5).to(first)  # (out, filter, in)
                weight, start = contraction.weight(k), 0  # (in copy, channel, out copy)
                k += 1
                for term_out, at_out in _places(field_out):
                    if term_out.irrep == irrep:
                        own = weight[:, :, start : start + term_out.multiplicity]
                        start += term_out.multiplicity
                        part = torch.einsum("iho,amb->hmoaib", own, constant)
                        whole[:, at, at_out, at_in] += part.reshape(
                            *part.shape[:2], term_out.dim, term_in.dim
                        )
    return whole


def per_edge_conv(
    conv: PointConv,
    x: Tensor,
    pos: Tensor,
    edge_index: Tensor,
    edge_attr: Tensor | None = None,
    node_attr: Tensor | None = None,
) -> Tensor:
    """The sum over neighbours with a kernel matrix per edge.

    y_i = n^-1/2 sum_j K(x_ij, a_ij) f_j.
    """
    source, target = edge_index
    parts = [] if edge_attr is None else [edge_attr]
    parts += [] if node_attr is None else [node_attr[source], node_attr[target]]
    h = conv.filter(pos[source] - pos[target], torch.cat(parts, -1) if parts else None)
    tensor = contraction_tensor(conv.contraction)
    kernel = (h.flatten(1) @ tensor.flatten(2).flatten(0, 1)).view(-1, *tensor.shape[2:])
    x = conv.contraction.before(x)
    message = torch.bmm(kernel, x.index_select(0, source).unsqueeze(-1)).squeeze(-1)
    return (
        message.new_zeros(len(x), conv.field_out.dim).index_add(0, target, message)
        * conv.neighbours**-0.5
    )


def _places(field):
    return [
        (term, place)
        for term, place in zip(field, field.slices(), strict=True)
        if term.multiplicity
    ]
